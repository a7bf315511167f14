namespace RaftFast.Server.Peers.Snapshots;

/// <summary>
/// Limits the rate at which the bytes of a snapshot are sent or written: after each part, the caller waits for the time
/// that <see cref="Spend"/> returns. After a stall, no burst makes up for the lost time. Used by one thread.
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
