using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Promotes a learner to voter after it has caught up with the leader's log (thesis §4.2.1). A voter without the log
/// would only delay commitment. The promotion waits until a majority of the voters, the learner included, writes.
/// </summary>
internal sealed class LearnerPromotion(
    RaftCore core, ProgressTable progress, CatchUp catchUp, WritingMajority writing)
{
    /// <summary>The promotion that waited when <see cref="Next"/> was last asked.</summary>
    public PromotionWait Wait { get; private set; }

    public void Enter() => Wait = default;

    /// <returns>
    /// The configuration that promotes a learner; null if no learner has caught up, or the promotion has to wait.
    /// </returns>
    public ClusterConfiguration? Next()
    {
        Wait = default;
        ClusterConfiguration current = core.Configuration.Cluster;
        for (int i = 0; i < progress.Count; i++)
        {
            Member member = current.Members[i];
            if (member.Role != MemberRole.Learner || !catchUp.IsDone(progress[i]))
                continue;
            MemberEdit promote = new(MemberEditKind.AddVoter, member.Id);
            ClusterConfiguration? next = ConfigurationEditor.Simple(current, [promote], out _);
            QuorumResult result = writing.Of(next!, out MissingVoters missing);
            if (result == QuorumResult.Won)
                return next;
            if (result == QuorumResult.Lost)
                Wait = new(member.Id, missing);
        }
        return null;
    }
}

/// <summary>
/// A learner that has caught up and is not promoted, because no majority would write after the promotion.
/// </summary>
/// <param name="Learner">0 if no promotion waits.</param>
public readonly record struct PromotionWait(ulong Learner, MissingVoters Missing);
