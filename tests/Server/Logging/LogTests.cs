using System.Text;
using Microsoft.Extensions.Logging;
using RaftFast.Server.Logging;

namespace RaftFast.Server.Tests.Logging;

public sealed class LogTests
{
    private static readonly DateTime Time = new(2026, 1, 2, 3, 4, 5, 678, DateTimeKind.Utc);

    [Fact]
    public void Event_is_one_line() => Assert.Equal(
        "2026-01-02T03:04:05.678Z info raft: became leader in term 3\n",
        LogLine.Format(Time, LogLevel.Information, "raft", "became leader in term 3", null, withExceptionType: false));

    [Theory]
    [InlineData(LogLevel.Trace, "trace")]
    [InlineData(LogLevel.Debug, "debug")]
    [InlineData(LogLevel.Information, "info")]
    [InlineData(LogLevel.Warning, "warning")]
    [InlineData(LogLevel.Error, "error")]
    [InlineData(LogLevel.Critical, "critical")]
    public void Level_has_its_name(LogLevel level, string name) => Assert.Equal(
        $"2026-01-02T03:04:05.678Z {name} raft: m\n",
        LogLine.Format(Time, level, "raft", "m", null, withExceptionType: false));

    [Fact]
    public void Category_of_a_type_is_its_last_name() => Assert.Equal(
        "2026-01-02T03:04:05.678Z error Listener: m\n",
        LogLine.Format(Time, LogLevel.Error, "RaftFast.Server.Listener", "m", null, withExceptionType: false));

    [Theory]
    [InlineData(false, "2026-01-02T03:04:05.678Z error wal: sync failed: first\\nsecond\n")]
    [InlineData(true, "2026-01-02T03:04:05.678Z error wal: sync failed: System.IO.IOException: first\\nsecond\n")]
    public void Exception_is_its_message_and_when_asked_its_type(bool withType, string line) => Assert.Equal(
        line, LogLine.Format(Time, LogLevel.Error, "wal", "sync failed", new IOException("first\nsecond"), withType));

    [Theory]
    [InlineData("a\nb\r\tc", "a\\nb\\r\\tc")]
    [InlineData("\u001b[31m\0\u007f\u0085\u2028\u2029", "\\u001b[31m\\u0000\\u007f\\u0085\\u2028\\u2029")]
    [InlineData("grün 🙂 a\\nb", "grün 🙂 a\\nb")]
    public void Control_characters_and_line_separators_are_escaped(string text, string escaped) =>
        Assert.Equal(escaped, LogLine.Escape(text));

    [Fact]
    public void Logger_writes_what_its_level_admits()
    {
        using MemoryStream output = new();
        LineWriter lines = new(output);
        using LogFactory loggers = new(lines, LogLevel.Warning);
        ILogger log = loggers.CreateLogger("raft");

#pragma warning disable CA1848, CA1873 // The tested thing is the logger, not its caller.
        log.LogInformation("not this");
        log.LogWarning(new IOException("that"), "this {Number}", 7);
#pragma warning restore CA1848, CA1873

        Assert.True(lines.Drain(TimeSpan.FromSeconds(10)));
        string line = Encoding.UTF8.GetString(output.ToArray());
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z warning raft: this 7: that\n\z", line);
    }

    [Fact]
    public void Failing_log_does_not_fail_its_user()
    {
        using Stream full = new FileStream(
            "/dev/full", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
        LineWriter lines = new(full);
        using LogFactory loggers = new(lines, LogLevel.Information);
        Assert.Throws<IOException>(() => full.Write("x"u8));

#pragma warning disable CA1848
        loggers.CreateLogger("raft").LogError("nobody will read this");
#pragma warning restore CA1848
        Assert.True(lines.Drain(TimeSpan.FromSeconds(10)));
    }
}
