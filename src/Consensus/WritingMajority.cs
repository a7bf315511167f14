using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// The leader's view of a configuration that it may propose: can a majority of its voters write now? A configuration is
/// in effect as soon as it is in the log (thesis §4.1). Without such a majority, the configuration cannot commit, and
/// no later change can repair the cluster.
/// </summary>
internal sealed class WritingMajority(RaftCore core, ProgressTable progress)
{
    /// <returns>
    /// Won if a majority writes; Lost if no majority writes; Pending if the answer comes within an election timeout.
    /// </returns>
    /// <param name="missing">The voters that don't write, if the result is Lost.</param>
    public QuorumResult Of(ClusterConfiguration next, out MissingVoters missing)
    {
        Span<QuorumAnswer> answers = stackalloc QuorumAnswer[Quorum.VotersMax];
        Span<int> voters = stackalloc int[Quorum.VotersMax];
        int count = 0;
        missing = default;
        for (int i = 0; i < next.Members.Count; i++)
        {
            Member member = next.Members[i];
            if (member.Role != MemberRole.Voter)
                continue;
            voters[count] = count;
            answers[count] = AnswerOf(member.Id);
            if (answers[count] == QuorumAnswer.Rejected)
                missing = new(missing.Count == 0 ? member.Id : missing.First, missing.Count + 1);
            count++;
        }
        QuorumResult result = Quorum.Count(voters[..count], answers);
        if (result != QuorumResult.Lost)
            missing = default;
        return result;
    }

    /// <summary>The leader counts as a voter that writes: a leader that cannot write proposes nothing.</summary>
    private QuorumAnswer AnswerOf(ulong voter)
    {
        int ordinal = core.Configuration.OrdinalOf(voter);
        if (voter == core.Id)
            return QuorumAnswer.Granted;
        return ordinal >= 0 ? progress[ordinal].Writes(core.Log.Last.Index) : QuorumAnswer.Rejected;
    }
}

/// <summary>Voters that don't write, without which a configuration has no majority that writes.</summary>
/// <param name="First">Lowest id of these voters; 0 if there are none.</param>
public readonly record struct MissingVoters(ulong First, int Count);
