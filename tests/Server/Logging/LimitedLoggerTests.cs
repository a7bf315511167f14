using System.Text;
using Microsoft.Extensions.Logging;
using RaftFast.Server.Logging;
using RaftFast.Server.Tests.Peers;

namespace RaftFast.Server.Tests.Logging;

public sealed partial class LimitedLoggerTests
{
    [Fact]
    public void Kind_has_one_line_a_second_and_says_how_many_it_stands_for()
    {
        using MemoryStream output = new();
        LineWriter lines = new(output);
        using LogFactory loggers = new(lines, LogLevel.Information);
        HandSetTime time = new();
        LimitedLogger log = new(loggers.CreateLogger("peers"), time);

        for (int i = 0; i < 5; i++)
            Refused(log, i);
        Dropped(log);
        time.Now += TimeSpan.FromSeconds(1);
        Refused(log, 5);
        time.Now += TimeSpan.FromSeconds(1);
        Refused(log, 6);

        Assert.True(lines.Drain(TimeSpan.FromSeconds(10)));
        Assert.Equal(
            ["refused 0", "dropped", "refused 5 (and 4 more like this since the last such line)", "refused 6"],
            Encoding.UTF8.GetString(output.ToArray()).TrimEnd().Split('\n').Select(line => line.Split("peers: ")[1]));
    }

    [LoggerMessage(1, LogLevel.Warning, "refused {Number}")]
    private static partial void Refused(ILogger log, int number);

    [LoggerMessage(2, LogLevel.Warning, "dropped")]
    private static partial void Dropped(ILogger log);
}
