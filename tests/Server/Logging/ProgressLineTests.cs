using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Server.Logging;
using RaftFast.Server.Tests.Peers;

namespace RaftFast.Server.Tests.Logging;

public sealed class ProgressLineTests
{
    private readonly HandSetTime time = new();

    [Fact]
    public void Short_work_tells_nothing()
    {
        ProgressLine line = new("loading", time);
        Assert.Null(line.Next(1, 2));
        time.Now = ProgressLine.Interval - TimeSpan.FromMilliseconds(1);
        Assert.Null(line.Next(2, 2));
    }

    [Fact]
    public void Long_work_tells_share_and_rest_once_in_an_interval()
    {
        ProgressLine line = new("loading", time);
        Assert.Null(line.Next(0, 100));
        time.Now += TimeSpan.FromSeconds(10);
        Assert.Equal("loading: 25 % done, about 30 seconds left", line.Next(25, 100));
        Assert.Null(line.Next(26, 100));
        time.Now += TimeSpan.FromSeconds(10);
        Assert.Equal("loading: 99 % done, about a second left", line.Next(995, 1000));
        time.Now += TimeSpan.FromSeconds(10);
        Assert.Equal("loading: 1 % done, about 50 minutes left", line.Next(1, 100));
        time.Now += TimeSpan.FromSeconds(10);
        Assert.Equal("loading: 0 % done, about 11 hours left", line.Next(1, 1000));
    }

    [Fact]
    public void Work_that_continues_counts_only_its_own_share_for_the_rest()
    {
        ProgressLine line = new("receiving", time);
        Assert.Null(line.Next(50, 100));
        time.Now += TimeSpan.FromSeconds(10);
        Assert.Equal("receiving: 75 % done, about 10 seconds left", line.Next(75, 100));
    }

    [Fact]
    public void Text_tells_as_much_as_is_known()
    {
        ProgressLine line = new("loading", time);
        Assert.Equal("loading", line.Text);
        line.Next(0, 100);
        Assert.Equal("loading: 0 % done", line.Text);
        time.Now += TimeSpan.FromSeconds(1);
        line.Next(10, 100);
        Assert.Equal("loading: 10 % done, about 9 seconds left", line.Text);
        time.Now += TimeSpan.FromSeconds(1);
        Assert.Equal("loading: 10 % done, about 18 seconds left", line.Text);
        Assert.Equal((10, 100), (line.Done, line.All));
    }

    [Fact]
    public void Progress_between_two_lines_allocates_nothing()
    {
        ProgressLine line = new("loading", time);
        long done = 0;
        Assert.Equal(0, Allocations.Of(() => line.Write(NullLogger.Instance, ++done, 100)));
    }

    [Fact]
    public void Unknown_amount_tells_nothing()
    {
        ProgressLine line = new("loading", time);
        time.Now += TimeSpan.FromSeconds(10);
        Assert.Null(line.Next(0, 100));
        Assert.Null(line.Next(100, 0));
    }
}
