using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Promotes a learner to voter after it has caught up with the leader's log (thesis §4.2.1). A voter without the log
/// would only delay commitment.
/// </summary>
internal sealed class LearnerPromotion(RaftCore core, ProgressTable progress)
{
    /// <summary>The log's last index at the latest heartbeat, and at the heartbeat before.</summary>
    private long lastAtHeartbeat;
    private long lastAtEarlierHeartbeat;

    public void Enter() => lastAtHeartbeat = lastAtEarlierHeartbeat = core.Log.Last.Index + 1;

    public void OnHeartbeat()
    {
        lastAtEarlierHeartbeat = lastAtHeartbeat;
        lastAtHeartbeat = core.Log.Last.Index;
    }

    /// <returns>The configuration that promotes a learner; null if no learner has caught up.</returns>
    public ClusterConfiguration? Next()
    {
        ClusterConfiguration current = core.Configuration.Cluster;
        for (int i = 0; i < progress.Count; i++)
        {
            Member member = current.Members[i];
            if (member.Role == MemberRole.Learner && HasCaughtUp(progress[i]))
                return ConfigurationEditor.Simple(current, [new(MemberEditKind.AddVoter, member.Id)], out _);
        }
        return null;
    }

    /// <summary>
    /// True if the learner answers, and misses no more entries than the leader appends between two heartbeats.
    /// </summary>
    private bool HasCaughtUp(Progress learner) =>
        learner.State == ProgressState.Replicate
        && learner.Match >= lastAtEarlierHeartbeat
        && learner.TicksSinceHeard <= 2 * core.Options.HeartbeatTicks;
}
