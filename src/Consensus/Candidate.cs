using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// The candidate's role: asks for votes (§5.2). A pre-candidate first asks if it would get votes, which changes no term
/// (thesis §9.6).
/// </summary>
internal sealed class Candidate(RaftCore core) : Role(core)
{
    private readonly QuorumAnswer[] ballots = new QuorumAnswer[ClusterConfiguration.MembersMax];

    public bool IsPreVote { get; private set; }

    /// <param name="isHandOver">
    /// True if the leader has asked for this election. Voters then need not protect the leader (thesis §3.10).
    /// </param>
    public void Enter(bool preVote, bool isHandOver)
    {
        IsPreVote = preVote;
        Array.Clear(ballots);
        // Thesis §4.2.2: a server's own vote counts only if it is a voter of its latest configuration.
        int self = Core.Configuration.OrdinalOf(Core.Id);
        if (self >= 0)
            ballots[self] = QuorumAnswer.Granted;
        foreach (ulong server in Core.Configuration.Servers)
        {
            if (server == Core.Id || !Core.Configuration.IsVoter(server))
                continue;
            Core.Send(new Message
            {
                Type = preVote ? MessageType.PreVote : MessageType.Vote,
                To = server,
                Term = preVote ? Core.Term + 1 : Core.Term,
                Position = Core.Log.Last,
                Context = isHandOver ? 1 : 0,
            });
        }
        Decide();
    }

    public override void Tick()
    {
        if (Core.Timer.Tick())
            Core.Campaign();
    }

    public override EntryRange Step(
        in Message message, ReadOnlySpan<RecordHeader> entries, ReadOnlySpan<ClusterConfiguration?> configurations)
    {
        switch (message.Type)
        {
            // §5.2: a leader of this term has been elected.
            case MessageType.Append or MessageType.Heartbeat:
                Core.BecomeFollower(message.Term, message.From);
                return Core.Step(message, entries, configurations);
            case MessageType.PreVoteResponse when IsPreVote:
            case MessageType.VoteResponse when !IsPreVote:
                OnResponse(message);
                break;
        }
        return EntryRange.None;
    }

    private void OnResponse(in Message message)
    {
        // A granted pre-vote names the term of its request. A pre-vote for an earlier campaign counts for nothing.
        if (IsPreVote && !message.Rejected && message.Term != Core.Term + 1)
            return;
        QuorumAnswer answer = message.Rejected ? QuorumAnswer.Rejected : QuorumAnswer.Granted;
        ballots[Core.Configuration.OrdinalOf(message.From)] = answer;
        Decide();
    }

    private void Decide()
    {
        switch (Quorum.Count(Core.Configuration, ballots))
        {
            case QuorumResult.Won when IsPreVote:
                Core.BecomeCandidate();
                break;
            case QuorumResult.Won:
                Core.BecomeLeader();
                break;
            case QuorumResult.Lost:
                Core.BecomeFollower(Core.Term, leader: 0);
                break;
        }
    }
}
