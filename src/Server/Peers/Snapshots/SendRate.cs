namespace RaftFast.Server.Peers.Snapshots;

/// <summary>
/// Spreads the bytes of a snapshot evenly over time: after each part the caller waits. Time in which no bytes could be
/// sent is not made up for by a burst. For one thread.
/// </summary>
internal sealed class SendRate(long bytesPerSecond, TimeProvider time)
{
    private readonly long start = time.GetTimestamp();
    private TimeSpan due;

    /// <returns>Time to wait after <paramref name="bytes"/> were sent or written.</returns>
    public TimeSpan Spend(int bytes)
    {
        TimeSpan now = time.GetElapsedTime(start);
        due = (due > now ? due : now) + TimeSpan.FromSeconds((double)bytes / bytesPerSecond);
        return due - now;
    }
}
