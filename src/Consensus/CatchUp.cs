using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Judges how far followers have caught up with the leader's log (thesis §4.2.1): learners before their promotion, and
/// followers after a snapshot.
/// </summary>
internal sealed class CatchUp(RaftCore core, ProgressTable progress)
{
    /// <summary>The log's last index at the latest heartbeat, and at the heartbeat before.</summary>
    private long lastAtHeartbeat;
    private long lastAtEarlierHeartbeat;

    /// <summary>
    /// Index after which the log has all entries that followers still need after a snapshot; MaxValue if none needs
    /// any. Without these entries a follower would need another snapshot, and under load yet another, for ever. A
    /// follower that is not heard holds nothing.
    /// </summary>
    public long NeededAfter
    {
        get
        {
            long index = long.MaxValue;
            foreach (Progress follower in progress.All)
            {
                if (follower.IsCatchingUp && follower.TicksSinceHeard <= core.Options.ElectionTicks)
                    index = Math.Min(index, follower.NeededAfter);
            }
            return index;
        }
    }

    public void Enter() => lastAtHeartbeat = lastAtEarlierHeartbeat = core.Log.Last.Index + 1;

    public void OnHeartbeat()
    {
        lastAtEarlierHeartbeat = lastAtHeartbeat;
        lastAtHeartbeat = core.Log.Last.Index;
        foreach (Progress follower in progress.All)
        {
            if (follower.IsCatchingUp && IsDone(follower))
                follower.CaughtUp();
        }
    }

    /// <summary>
    /// True if the follower answers, and misses no more entries than the leader appends between two heartbeats.
    /// </summary>
    public bool IsDone(Progress follower) =>
        follower.State == ProgressState.Replicate
        && follower.Match >= lastAtEarlierHeartbeat
        && follower.TicksSinceHeard <= 2 * core.Options.HeartbeatTicks;
}
