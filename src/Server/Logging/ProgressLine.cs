using System.Globalization;
using Microsoft.Extensions.Logging;

namespace RaftFast.Server.Logging;

/// <summary>
/// Tells from time to time how far a long piece of work is, and how long the rest takes at the rate so far. Work that
/// ends within <see cref="Interval"/> tells nothing.
/// </summary>
/// <param name="work">The work in progress, as in "loading the snapshot".</param>
internal sealed partial class ProgressLine(string work, TimeProvider time)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly long begun = time.GetTimestamp();
    private TimeSpan next = Interval;
    private long? first;

    /// <param name="done">Amount of work that is done, in any unit.</param>
    /// <param name="all">Amount of all work, in the same unit.</param>
    /// <returns>A line, at most one in each interval; else null.</returns>
    public string? Next(long done, long all)
    {
        TimeSpan elapsed = time.GetElapsedTime(begun);
        // The work may continue what was done before.
        first ??= done;
        if (elapsed < next || done <= first || all <= 0)
            return null;
        next = elapsed + Interval;
        double share = Math.Min(1, (double)done / all);
        double left = elapsed.TotalSeconds * Math.Max(0, all - done) / (done - first.Value);
        return string.Create(CultureInfo.InvariantCulture,
            $"{work}: {Math.Floor(share * 100)} % done, {Text(left)} left");
    }

    /// <summary>Writes the line, when it is time for one.</summary>
    public void Write(ILogger logger, long done, long all)
    {
        if (Next(done, all) is { } line)
            LogLine(logger, line);
    }

    [LoggerMessage(LogLevel.Information, "{Line}")]
    private static partial void LogLine(ILogger logger, string line);

    private static string Text(double seconds) => seconds switch
    {
        < 1.5 => "about a second",
        < 100 => string.Create(CultureInfo.InvariantCulture, $"about {seconds:f0} seconds"),
        < 6000 => string.Create(CultureInfo.InvariantCulture, $"about {seconds / 60:f0} minutes"),
        _ => string.Create(CultureInfo.InvariantCulture, $"about {seconds / 3600:f0} hours"),
    };
}
