using RaftFast.Server.Peers.Snapshots;

namespace RaftFast.Server.Tests.Peers.Snapshots;

public sealed class SendRateTests
{
    private readonly HandSetTime time = new();

    [Fact]
    public void Each_part_waits_until_it_is_paid_for()
    {
        SendRate rate = new(1000, time);
        Assert.Equal(TimeSpan.FromMilliseconds(500), rate.Spend(500));
        time.Now += TimeSpan.FromMilliseconds(500);
        Assert.Equal(TimeSpan.FromMilliseconds(250), rate.Spend(250));
        time.Now += TimeSpan.FromMilliseconds(100);
        Assert.Equal(TimeSpan.FromMilliseconds(350), rate.Spend(200));
    }

    [Fact]
    public void Bytes_in_a_span_of_time_are_the_rates_and_one_part_at_most()
    {
        SendRate rate = new(1000, time);
        long sent = 0;
        while (time.Now < TimeSpan.FromSeconds(10))
        {
            sent += 300;
            time.Now += rate.Spend(300);
        }
        Assert.InRange(sent, 10_000, 10_300);
    }

    [Fact]
    public void Stall_is_not_made_up_for()
    {
        SendRate rate = new(1000, time);
        rate.Spend(100);
        time.Now += TimeSpan.FromHours(1);
        Assert.Equal(TimeSpan.FromMilliseconds(100), rate.Spend(100));
        Assert.Equal(TimeSpan.FromMilliseconds(200), rate.Spend(100));
    }
}
