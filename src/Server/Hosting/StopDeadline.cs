using System.Diagnostics;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Loop;

namespace RaftFast.Server.Hosting;

/// <summary>
/// Ends a process that was asked to stop and waits for a log write that does not return. Such a write may be out for
/// hours, and nothing that it holds has been promised to anyone.
/// </summary>
internal sealed class StopDeadline : IDisposable
{
    /// <summary>Time from the request to stop until the end, if a log write is out.</summary>
    public static readonly TimeSpan StopMax = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Time after which a write that is out counts as hung. A slow disk gets the time to write what is published.
    /// </summary>
    private static readonly TimeSpan WriteMax = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);

    private Timer? timer;
    private long begin;

    /// <summary>Time since <see cref="Begin"/>.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(begin);

    /// <summary>The process is asked to stop now.</summary>
    public void Begin(WalWriter writer)
    {
        begin = Stopwatch.GetTimestamp();
        timer = new Timer(_ => Check(writer), null, Period, Period);
    }

    public void Dispose() => timer?.Dispose();

    private void Check(WalWriter writer)
    {
        if (Elapsed < StopMax || writer.TimeOfWrite < WriteMax)
            return;
        FatalError.Exit(new OperatingException(
            "the disk does not answer: a write of the log has not returned, so the process ends without it; "
            + "check the disk, then start again"));
    }
}
