using System.Diagnostics;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Hosting;

/// <summary>
/// Ends a process that was asked to stop and waits for work on the disk that does not return: a write of the log or of
/// a snapshot, a read of the log, or the preparation of a segment. Such work may be out for hours, and no
/// acknowledgement depends on it.
/// </summary>
internal sealed class StopDeadline : IDisposable
{
    /// <summary>Time from the request to stop until the end, if work on the disk is out.</summary>
    public static readonly TimeSpan StopMax = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Time after which work that is out counts as hung. A slow disk gets the time to write what is published.
    /// </summary>
    private static readonly TimeSpan WorkMax = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);

    private Timer? timer;
    private long begin;

    /// <summary>Time since <see cref="Begin"/>.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(begin);

    /// <summary>The process is asked to stop now.</summary>
    /// <param name="works">Work of each thread that the end of the process waits for.</param>
    public void Begin(params DiskWork[] works)
    {
        begin = Stopwatch.GetTimestamp();
        timer = new Timer(_ => Check(works), null, Period, Period);
    }

    public void Dispose() => timer?.Dispose();

    private void Check(DiskWork[] works)
    {
        if (Elapsed < StopMax)
            return;
        foreach (DiskWork work in works)
        {
            if (work.Time < WorkMax)
                continue;
            FatalError.Exit(new OperatingException(
                $"the disk does not answer: {work.What} has not returned, so the process ends without it; "
                + "check the disk, then start again"));
        }
    }
}
