using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Answers requests for votes and pre-votes, in any role. A server gives one vote a term (§5.2), only to an up-to-date
/// log (§5.4.1), and none while a leader is heard (§6, thesis §9.6). A server whose log write is overdue gives no
/// vote.
/// </summary>
internal static class VoteRequests
{
    public static void Answer(RaftCore core, in Message request)
    {
        if (request.Term > core.Term && LeaderIsHeard(core) && !IsHandOver(request))
            return;
        bool isPreVote = request.Type == MessageType.PreVote;
        if (request.Term > core.Term && !isPreVote)
            core.BecomeFollower(request.Term, leader: 0);
        bool isFree = core.HardState.Vote == request.From || (core.HardState.Vote == 0 && core.LeaderId == 0);
        bool isGranted = request.Term >= core.Term
            && (isPreVote ? request.Term > core.Term : isFree)
            && !core.LogWriteIsOverdue
            && core.Log.IsUpToDate(request.Position);
        if (isGranted && !isPreVote)
            core.VoteFor(request.From);
        core.Send(new Message
        {
            Type = isPreVote ? MessageType.PreVoteResponse : MessageType.VoteResponse,
            To = request.From,
            Term = isGranted ? request.Term : core.Term,
            Rejected = !isGranted,
        });
    }

    /// <summary>
    /// §6: true if this server has heard from a leader within the minimum election timeout. While a leader is heard,
    /// this server grants no vote and no pre-vote, and adopts no newer term. A server that was cut off must not depose
    /// a working leader. A leader always hears itself. CheckQuorum bounds how long a leader leads without a quorum.
    /// </summary>
    private static bool LeaderIsHeard(RaftCore core) =>
        core.LeaderId != 0 && (core.IsLeader || core.Timer.IsWithinMinimum);

    /// <summary>Thesis §3.10: true if the leader itself has asked for the election, and needs no protection.</summary>
    private static bool IsHandOver(in Message request) =>
        request.Type == MessageType.Vote && request.Context == 1;
}
