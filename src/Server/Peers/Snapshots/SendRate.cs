using RaftFast.Server.Node.Snapshots;

namespace RaftFast.Server.Peers.Snapshots;

/// <summary>
/// Spreads what is sent evenly: after each part it says how long to wait. Time in which nothing could be sent is not made up for
/// by a burst. One thread.
/// </summary>
internal sealed class SendRate(long bytesPerSecond, TimeProvider time)
{
    private readonly long start = time.GetTimestamp();
    private TimeSpan due;

    /// <returns>Until when <paramref name="bytes"/> are paid for.</returns>
    public TimeSpan Spend(int bytes)
    {
        TimeSpan now = time.GetElapsedTime(start);
        due = (due > now ? due : now) + TimeSpan.FromSeconds((double)bytes / bytesPerSecond);
        return due - now;
    }
}
