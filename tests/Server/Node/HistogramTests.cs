using RaftFast.Server.Node;

namespace RaftFast.Server.Tests.Node;

public sealed class HistogramTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(12)]
    public void Value_is_in_the_first_bucket_whose_bound_is_at_least_the_value(int firstExponent)
    {
        for (long value = 0; value < 100_000; value = value < 300 ? value + 1 : value * 9 / 8)
        {
            Histogram histogram = new(firstExponent, octaves: 4);
            histogram.Record(value);
            HistogramCopy copy = histogram.Copy();
            int expected = Array.FindIndex(copy.Bounds, bound => value <= bound);
            expected = expected < 0 ? copy.Bounds.Length : expected;
            Assert.Equal(expected, Array.IndexOf(copy.Counts, 1L));
            Assert.Equal(value, copy.Sum);
        }
    }

    [Fact]
    public void Bounds_ascend_from_32_microseconds_to_17_seconds()
    {
        long[] bounds = Histogram.OfMicroseconds().Copy().Bounds;

        Assert.Equal(32, bounds[0]);
        Assert.Equal(1 << 24, bounds[^1]);
        Assert.True(bounds.Zip(bounds.Skip(1)).All(pair => pair.First < pair.Second));
    }

    [Fact]
    public void Latency_of_a_commit_counts_each_entry_of_this_term_once()
    {
        Histogram latency = Histogram.OfMicroseconds();
        CommitLatency commits = new(latency);
        commits.Leads(term: 2, lastIndex: 10, committed: 7, now: 0);
        commits.Leads(term: 2, lastIndex: 12, committed: 10, now: 100);
        commits.Leads(term: 2, lastIndex: 15, committed: 11, now: 300);
        commits.Leads(term: 2, lastIndex: 15, committed: 15, now: 1000);
        Assert.Equal(5, latency.Copy().Counts.Sum());
        Assert.Equal(200 + 900 + 3 * 700, latency.Copy().Sum);

        // In another term, no time of proposal is known for entries proposed before.
        commits.Leads(term: 4, lastIndex: 20, committed: 20, now: 2000);
        Assert.Equal(5, latency.Copy().Counts.Sum());
    }

    [Fact]
    public void Latency_keeps_counting_when_more_batches_are_out_than_marks()
    {
        Histogram latency = Histogram.OfMicroseconds();
        CommitLatency commits = new(latency);
        commits.Leads(term: 1, lastIndex: 0, committed: 0, now: 0);
        for (int i = 1; i <= 3000; i++)
            commits.Leads(term: 1, lastIndex: i, committed: 0, now: i);
        commits.Leads(term: 1, lastIndex: 3000, committed: 3000, now: 4000);

        Assert.Equal(3000, latency.Copy().Counts.Sum());
    }

    [Fact]
    public void Recording_allocates_nothing()
    {
        Histogram latency = Histogram.OfMicroseconds();
        CommitLatency commits = new(latency);
        commits.Leads(1, 1, 0, 0);
        int last = 1;
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (int end = last + 10_000; last < end; last++)
                commits.Leads(1, last + 1, last, last + 1);
        }));
        Assert.Equal(last - 2, latency.Copy().Counts.Sum());
    }
}
