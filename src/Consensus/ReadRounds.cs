using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Linearizable reads without a log entry (thesis §6.4). The leader notes its commit index, and then makes sure by a
/// round of heartbeats that it still leads: a quorum must answer. A round confirms all requests of its
/// <see cref="ReadIndexQueue"/>.
/// </summary>
internal sealed class ReadRounds(RaftCore core, ProgressTable progress, Heartbeats heartbeats)
{
    private readonly QuorumAnswer[] answers = new QuorumAnswer[ClusterConfiguration.MembersMax];
    private readonly ReadIndexQueue queue = new();

    /// <summary>Index of the entry that opened the leader's term.</summary>
    private long termStart;

    /// <summary>True if every server has been asked to confirm the round under way, and not only a majority.</summary>
    private bool isAskedOfAll;

    /// <summary>Number of the round that heartbeats ask to confirm; 0 if there is none.</summary>
    public long RoundUnderWay => queue.IsConfirming ? queue.Round : 0;

    public void Enter(long termStart)
    {
        this.termStart = termStart;
        queue.Clear();
    }

    /// <summary>Adds a request of the leader itself or of a follower.</summary>
    public void Add(ulong server, long context) => queue.Add(server, context);

    /// <summary>Answers a follower's request at once if that is safe, or lets it wait for the next round.</summary>
    public void OnRequest(ulong follower, long context)
    {
        if (ConfirmsItsOwnRead(follower))
            Answer(follower, context, core.Log.Committed);
        else
            Add(follower, context);
    }

    public void OnHeartbeatAnswered(Progress follower, long round)
    {
        follower.ReadRound = Math.Max(follower.ReadRound, round);
        Confirm();
    }

    /// <summary>Asks all servers if the round is still unconfirmed at the next tick.</summary>
    public void Tick()
    {
        if (!queue.IsConfirming || isAskedOfAll)
            return;
        isAskedOfAll = true;
        heartbeats.Broadcast(RoundUnderWay);
    }

    /// <summary>Begins a round if requests wait and no round is under way.</summary>
    public void Begin()
    {
        // Thesis §6.4: the leader knows what is committed only once an entry of its own term has committed.
        if (!queue.MayBegin || core.Log.Committed < termStart)
            return;
        queue.Begin(core.Log.Committed);
        Ask();
        Confirm();
    }

    /// <summary>Completes the round under way if a quorum has confirmed it.</summary>
    public void Confirm()
    {
        if (!queue.IsConfirming)
            return;
        for (int i = 0; i < progress.Count; i++)
        {
            bool isConfirmed = i == progress.Self || progress[i].ReadRound >= queue.Round;
            answers[i] = isConfirmed ? QuorumAnswer.Granted : QuorumAnswer.Unknown;
        }
        if (Quorum.Count(core.Configuration, answers) != QuorumResult.Won)
            return;
        for (int i = 0; i < progress.Count; i++)
            progress[i].HelpedToConfirm = i != progress.Self && answers[i] == QuorumAnswer.Granted;
        foreach ((ulong server, long context) in queue.Confirm())
        {
            if (server == core.Id)
                core.Ready.Reads.Add(new ReadState(context, queue.Index));
            else if (core.Configuration.OrdinalOf(server) >= 0)
                Answer(server, context, queue.Index);
        }
    }

    /// <summary>
    /// Asks the servers that confirmed the last round, if they are a majority, and otherwise all. If one of the
    /// majority is silent this time, <see cref="Tick"/> asks the others.
    /// </summary>
    private void Ask()
    {
        for (int i = 0; i < progress.Count; i++)
            answers[i] = i == progress.Self ? QuorumAnswer.Granted : QuorumAnswer.Unknown;
        for (int i = 0; i < progress.Count && Quorum.Count(core.Configuration, answers) != QuorumResult.Won; i++)
        {
            if (progress[i].HelpedToConfirm)
                answers[i] = QuorumAnswer.Granted;
        }
        bool isMajority = Quorum.Count(core.Configuration, answers) == QuorumResult.Won;
        for (int i = 0; i < progress.Count; i++)
        {
            if (i != progress.Self && (!isMajority || answers[i] == QuorumAnswer.Granted))
                heartbeats.Send(i, RoundUnderWay);
        }
        isAskedOfAll = !isMajority;
    }

    /// <summary>
    /// True if a follower's request needs no round, because the follower and the leader are a majority. The follower
    /// sent its request in this term, after the read had reached it. A leader of a later term would have needed the
    /// vote of the follower or of this leader. Both were still in this term when the read arrived. A round of
    /// heartbeats (thesis §6.4) would prove no more.
    /// </summary>
    private bool ConfirmsItsOwnRead(ulong asker)
    {
        int ordinal = core.Configuration.OrdinalOf(asker);
        for (int i = 0; i < progress.Count; i++)
            answers[i] = i == progress.Self || i == ordinal ? QuorumAnswer.Granted : QuorumAnswer.Unknown;
        return core.Log.Committed >= termStart && Quorum.Count(core.Configuration, answers) == QuorumResult.Won;
    }

    private void Answer(ulong server, long context, long index)
    {
        Progress follower = progress.Of(server);
        long commit = Math.Min(core.Log.Committed, follower.Match);
        follower.AwaitCommit(index);
        follower.CommitSent = Math.Max(follower.CommitSent, commit);
        core.Send(new Message
        {
            Type = MessageType.ReadIndexResponse,
            To = server,
            Position = new LogPosition(0, index),
            Commit = commit,
            Context = context,
        });
    }
}
