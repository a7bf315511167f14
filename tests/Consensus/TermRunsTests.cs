using RaftFast.Protocol;

namespace RaftFast.Consensus.Tests;

public sealed class TermRunsTests
{
    [Fact]
    public void Empty_log_ends_before_the_first_entry()
    {
        TermRuns runs = new();
        Assert.Equal((0L, 0L, 0L), (runs.LastIndex, runs.LastTerm, runs.TermAt(0)));
        Assert.Equal(default, runs.LastNotAbove(5, 5));
        Assert.Throws<InvariantException>(() => runs.TermAt(1));
        Assert.Throws<InvariantException>(() => runs.TermAt(-1));
    }

    [Fact]
    public void Entry_must_follow_the_last_and_its_term_must_not_be_less()
    {
        TermRuns runs = Runs(1, 3);
        Assert.Throws<InvariantException>(() => runs.Append(new(3, 2)));
        Assert.Throws<InvariantException>(() => runs.Append(new(3, 4)));
        Assert.Throws<InvariantException>(() => runs.Append(new(2, 3)));
        Assert.Throws<InvariantException>(() => new TermRuns().Append(new(0, 1)));
        runs.Append(new(3, 3));
        Assert.Equal((3L, 3L), (runs.LastIndex, runs.LastTerm));
    }

    [Fact]
    public void Run_is_the_same_as_its_entries()
    {
        TermRuns runs = new();
        runs.AppendRun(new(1, 1), 3);
        runs.AppendRun(new(1, 4), 4); // continues in the same term
        runs.AppendRun(new(5, 5), 9);
        Assert.Equal([0L, 1, 1, 1, 1, 5, 5, 5, 5, 5], Enumerable.Range(0, 10).Select(i => runs.TermAt(i)));
        Assert.Throws<InvariantException>(() => runs.AppendRun(new(6, 10), 9));
    }

    [Fact]
    public void Truncation_removes_the_entry_and_all_after_it()
    {
        TermRuns runs = Runs(1, 1, 2, 2, 3);
        runs.TruncateFrom(9);
        Assert.Equal(5, runs.LastIndex);
        runs.TruncateFrom(4);
        Assert.Equal((3L, 2L), (runs.LastIndex, runs.LastTerm));
        runs.TruncateFrom(3);
        Assert.Equal((2L, 1L), (runs.LastIndex, runs.LastTerm));
        runs.Append(new(7, 3));
        Assert.Equal(7, runs.TermAt(3));
        runs.TruncateFrom(1);
        Assert.Equal((0L, 0L), (runs.LastIndex, runs.LastTerm));
        Assert.Throws<InvariantException>(() => runs.TruncateFrom(0));
    }

    [Theory] // the log is 1 1 4 4 4 6
    [InlineData(6, 6, 6, 6)]
    [InlineData(99, 99, 6, 6)]
    [InlineData(6, 5, 4, 5)]
    [InlineData(6, 4, 4, 5)]
    [InlineData(4, 4, 4, 4)]
    [InlineData(4, 3, 1, 2)]
    [InlineData(1, 9, 1, 1)]
    [InlineData(6, 0, 0, 0)]
    [InlineData(0, 9, 0, 0)]
    public void Last_entry_not_above(long index, long term, long foundTerm, long foundIndex) =>
        Assert.Equal(new LogPosition(foundTerm, foundIndex), Runs(1, 1, 4, 4, 4, 6).LastNotAbove(index, term));

    [Fact]
    public void Runs_agree_with_a_plain_list_of_terms()
    {
        Random random = new(1);
        TermRuns runs = new();
        List<long> terms = [];
        for (int step = 0; step < 2000; step++)
        {
            if (terms.Count > 0 && random.Next(10) == 0)
            {
                int from = random.Next(terms.Count);
                terms.RemoveRange(from, terms.Count - from);
                runs.TruncateFrom(from + 1);
            }
            long last = terms.Count == 0 ? 1 : terms[^1];
            terms.Add(last + (random.Next(3) == 0 ? random.Next(1, 4) : 0));
            runs.Append(new(terms[^1], terms.Count));

            long index = random.Next(terms.Count + 1);
            long term = random.NextInt64(terms[^1] + 2);
            Assert.Equal(index == 0 ? 0 : terms[(int)index - 1], runs.TermAt(index));
            long expected = index;
            while (expected > 0 && terms[(int)expected - 1] > term)
                expected--;
            Assert.Equal(expected, runs.LastNotAbove(index, term).Index);
        }
    }

    private static TermRuns Runs(params long[] terms)
    {
        TermRuns runs = new();
        foreach (long term in terms)
            runs.Append(new(term, runs.LastIndex + 1));
        return runs;
    }
}
