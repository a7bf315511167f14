using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>§5.3, §5.4: replicates its log, commits by counting, confirms reads; steps down when it has lost its quorum.</summary>
internal sealed class Leader : Role
{
    private readonly Progress[] progressByOrdinal;
    private readonly long[] matchIndex;
    private readonly Ballot[] heard;
    private readonly ReadIndexQueue reads;
    private readonly UncommittedSizes uncommitted = new();
    private readonly int self;

    /// <summary>Index of the entry that opened this term.</summary>
    private long termStart;
    private int ticksToHeartbeat;
    private int ticksToQuorumCheck;

    public Leader(RaftCore core) : base(core)
    {
        int servers = core.Configuration.Servers.Length;
        progressByOrdinal = new Progress[servers];
        for (int i = 0; i < servers; i++)
            progressByOrdinal[i] = new Progress(core.Options);
        matchIndex = new long[servers];
        heard = new Ballot[servers];
        reads = new ReadIndexQueue(servers);
        self = core.Configuration.OrdinalOf(core.Id);
    }

    public void Enter()
    {
        foreach (Progress progress in progressByOrdinal)
            progress.Reset(Core.Log.Last.Index);
        reads.Clear();
        uncommitted.Begin(Core.Log.Last.Index);
        ticksToHeartbeat = Core.Options.HeartbeatTicks;
        ticksToQuorumCheck = Core.Options.ElectionTicks;
        // §8: a blank entry, so that the leader learns what is committed. Nothing of earlier terms commits before it (§5.4.2).
        Append(Record.HeaderSize);
        termStart = Core.Log.Last.Index;
    }

    public ProposeResult Propose(int bytes)
    {
        if (uncommitted.Bytes > 0 && uncommitted.Bytes + bytes > Core.Options.UncommittedBytesMax)
            return ProposeResult.Busy;
        Append(bytes);
        return ProposeResult.Accepted;
    }

    public void AddRead(ulong from, long context) => reads.Add(Core.Configuration.OrdinalOf(from), context);

    public void MessagesMayBeLost(ulong peer) => ProgressOf(peer).MessagesMayBeLost();

    public void AwaitCommit(ulong peer, long index) =>
        ProgressOf(peer).CommitAwaited = Math.Max(ProgressOf(peer).CommitAwaited, index);

    public override void Tick()
    {
        if (--ticksToQuorumCheck == 0 && !CheckQuorum())
            return;
        foreach (Progress progress in progressByOrdinal)
            progress.Tick();
        if (--ticksToHeartbeat == 0)
        {
            ticksToHeartbeat = Core.Options.HeartbeatTicks;
            BroadcastHeartbeat();
        }
    }

    public override EntryRange Step(in Message message, ReadOnlySpan<RecordHeader> entries)
    {
        // Election Safety (figure 3): nobody else leads this term.
        Invariant.Hold(message.Type is not (MessageType.Append or MessageType.Heartbeat));
        Progress progress = ProgressOf(message.From);
        progress.IsRecentlyActive = true;
        switch (message.Type)
        {
            case MessageType.AppendResponse:
                OnAppendResponse(message, progress);
                break;
            case MessageType.HeartbeatResponse:
                progress.HeartbeatAnswered();
                progress.ReadRound = Math.Max(progress.ReadRound, message.Context);
                ConfirmReads();
                break;
            case MessageType.ReadIndex:
                AddRead(message.From, message.Context);
                break;
        }
        return EntryRange.None;
    }

    public override void OnDurable() => AdvanceCommit();

    public void EndBatch()
    {
        BeginReads();
        ReadOnlySpan<ulong> servers = Core.Configuration.Servers;
        for (int i = 0; i < servers.Length; i++)
        {
            Progress progress = progressByOrdinal[i];
            bool isAwaited = progress.CommitSent < progress.CommitAwaited;
            if (i != self && isAwaited && Math.Min(Core.Log.Committed, progress.Match) > progress.CommitSent)
                SendHeartbeat(servers[i], progress);
        }
    }

    public bool TryNextAppend(ulong peer, out Message append)
    {
        append = default;
        Progress progress = ProgressOf(peer);
        if (!progress.MaySend(Core.Log.Last.Index))
            return false;
        long previous = progress.Next - 1;
        append = new Message
        {
            Type = MessageType.Append,
            From = Core.Id,
            To = peer,
            Term = Core.Term,
            Position = new LogPosition(Core.Log.TermAt(previous), previous),
            Commit = Core.Log.Committed,
        };
        return true;
    }

    public void AppendSent(ulong peer, int count, int bytes)
    {
        Progress progress = ProgressOf(peer);
        // As far as the follower takes it from an append: up to the last entry that this one carried.
        progress.CommitSent = Math.Max(progress.CommitSent, Math.Min(Core.Log.Committed, progress.Next - 1 + count));
        progress.Sent(count, bytes);
    }

    private Progress ProgressOf(ulong server) => progressByOrdinal[Core.Configuration.OrdinalOf(server)];

    /// <summary>Leader Append-Only (figure 3): a leader only ever adds to its log.</summary>
    private void Append(int bytes)
    {
        Core.Log.Append(new LogPosition(Core.Term, Core.Log.Last.Index + 1));
        uncommitted.Add(bytes);
    }

    private void OnAppendResponse(in Message message, Progress progress)
    {
        if (message.Rejected)
        {
            LogPosition hint = Core.Log.LastNotAbove(message.Position.Index, message.Position.Term);
            progress.Rejected(message.Context, hint.Index);
            return;
        }
        Invariant.Hold(message.Position.Index <= Core.Log.Last.Index);
        if (progress.Acknowledged(message.Position.Index))
            AdvanceCommit();
    }

    private void AdvanceCommit()
    {
        for (int i = 0; i < progressByOrdinal.Length; i++)
            matchIndex[i] = i == self ? Core.Log.Durable : progressByOrdinal[i].Match;
        long index = Quorum.CommittedIndex(Core.Configuration, matchIndex);
        // §5.4.2: counting replicas commits only entries of the current term; those before it follow.
        if (index <= Core.Log.Committed || Core.Log.TermAt(index) != Core.Term)
            return;
        Core.Log.CommitTo(index);
        uncommitted.CommitTo(index);
    }

    /// <summary>
    /// A leader that a quorum hasn't answered within an election timeout steps down (thesis §6.2): it can't hold followers
    /// back from electing another, and its clients learn that nothing will happen here.
    /// </summary>
    private bool CheckQuorum()
    {
        ticksToQuorumCheck = Core.Options.ElectionTicks;
        for (int i = 0; i < progressByOrdinal.Length; i++)
        {
            heard[i] = i == self || progressByOrdinal[i].IsRecentlyActive ? Ballot.Granted : Ballot.Rejected;
            progressByOrdinal[i].IsRecentlyActive = false;
        }
        if (Quorum.Count(Core.Configuration, heard) == VoteResult.Won)
            return true;
        Core.BecomeFollower(Core.Term, leader: 0);
        return false;
    }

    private void BroadcastHeartbeat()
    {
        ReadOnlySpan<ulong> servers = Core.Configuration.Servers;
        for (int i = 0; i < servers.Length; i++)
        {
            if (i != self)
                SendHeartbeat(servers[i], progressByOrdinal[i]);
        }
    }

    private void SendHeartbeat(ulong server, Progress progress)
    {
        // Not beyond what matches: the follower's log may still differ there.
        long commit = Math.Min(Core.Log.Committed, progress.Match);
        progress.CommitSent = Math.Max(progress.CommitSent, commit);
        Core.Send(new Message
        {
            Type = MessageType.Heartbeat,
            To = server,
            Commit = commit,
            Context = reads.IsConfirming ? reads.Round : 0,
        });
    }

    /// <summary>Thesis §6.4: the read index is the commit index, once an entry of this term has committed.</summary>
    private void BeginReads()
    {
        if (!reads.MayBegin || Core.Log.Committed < termStart)
            return;
        reads.Begin(Core.Log.Committed);
        BroadcastHeartbeat();
        ConfirmReads();
    }

    private void ConfirmReads()
    {
        if (!reads.IsConfirming)
            return;
        for (int i = 0; i < progressByOrdinal.Length; i++)
            heard[i] = i == self || progressByOrdinal[i].ReadRound >= reads.Round ? Ballot.Granted : Ballot.Unknown;
        if (Quorum.Count(Core.Configuration, heard) != VoteResult.Won)
            return;
        ReadOnlySpan<ulong> servers = Core.Configuration.Servers;
        ReadOnlySpan<long> contexts = reads.Confirm();
        for (int i = 0; i < servers.Length; i++)
        {
            if (contexts[i] == 0)
                continue;
            if (i == self)
                Core.Ready.Reads.Add(new ReadState(contexts[i], reads.Index));
            else
                SendReadIndexResponse(servers[i], progressByOrdinal[i], contexts[i]);
        }
    }

    private void SendReadIndexResponse(ulong server, Progress progress, long context)
    {
        long commit = Math.Min(Core.Log.Committed, progress.Match);
        progress.CommitAwaited = Math.Max(progress.CommitAwaited, reads.Index);
        progress.CommitSent = Math.Max(progress.CommitSent, commit);
        Core.Send(new Message
        {
            Type = MessageType.ReadIndexResponse,
            To = server,
            Position = new LogPosition(0, reads.Index),
            Commit = commit,
            Context = context,
        });
    }
}
