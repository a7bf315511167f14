using System.Globalization;
using Microsoft.Extensions.Logging;

namespace RaftFast.Server.Logging;

/// <summary>
/// Tells from time to time how far a long piece of work is, and how long the rest takes at the rate so far. Work that
/// ends within <see cref="Interval"/> tells nothing. The thread that works calls <see cref="Write"/>; any thread reads
/// the properties.
/// </summary>
/// <param name="work">The work in progress, as in "loading the snapshot".</param>
internal sealed partial class ProgressLine(string work, TimeProvider time)
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private const long Unknown = -1;

    private readonly long begun = time.GetTimestamp();
    private TimeSpan next = Interval;
    private long first = Unknown;
    private long done;
    private long all;

    /// <summary>Amount of work that is done, in any unit.</summary>
    public long Done => Volatile.Read(ref done);

    /// <summary>Amount of all work, in the same unit; 0 until it is known.</summary>
    public long All => Volatile.Read(ref all);

    /// <summary>The work, with share and rest as far as they are known.</summary>
    public string Text
    {
        get
        {
            (long now, long whole) = (Done, All);
            if (whole <= 0)
                return work;
            string share = string.Create(
                CultureInfo.InvariantCulture, $"{work}: {Math.Floor(Math.Min(1, (double)now / whole) * 100)} % done");
            long here = now - Volatile.Read(ref first);
            if (here <= 0)
                return share;
            double left = time.GetElapsedTime(begun).TotalSeconds * Math.Max(0, whole - now) / here;
            return $"{share}, {Duration(left)} left";
        }
    }

    /// <param name="nowDone">Amount of work that is done, in any unit.</param>
    /// <param name="whole">Amount of all work, in the same unit.</param>
    /// <returns>A line, at most one in each interval; else null.</returns>
    public string? Next(long nowDone, long whole)
    {
        // The work may continue what was done before.
        if (first == Unknown)
            Volatile.Write(ref first, nowDone);
        Volatile.Write(ref all, whole);
        Volatile.Write(ref done, nowDone);
        TimeSpan elapsed = time.GetElapsedTime(begun);
        if (elapsed < next || nowDone <= first || whole <= 0)
            return null;
        next = elapsed + Interval;
        return Text;
    }

    /// <summary>Writes the line, when it is time for one.</summary>
    public void Write(ILogger logger, long nowDone, long whole)
    {
        if (Next(nowDone, whole) is { } line)
            LogLine(logger, line);
    }

    [LoggerMessage(LogLevel.Information, "{Line}")]
    private static partial void LogLine(ILogger logger, string line);

    private static string Duration(double seconds) => seconds switch
    {
        < 1.5 => "about a second",
        < 100 => string.Create(CultureInfo.InvariantCulture, $"about {seconds:f0} seconds"),
        < 6000 => string.Create(CultureInfo.InvariantCulture, $"about {seconds / 60:f0} minutes"),
        _ => string.Create(CultureInfo.InvariantCulture, $"about {seconds / 3600:f0} hours"),
    };
}
