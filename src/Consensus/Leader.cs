using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>§5.3, §5.4: replicates its log, commits by counting, confirms reads; steps down when it has lost its quorum.</summary>
internal sealed class Leader(RaftCore core) : Role(core)
{
    private readonly long[] matchIndex = new long[ClusterConfiguration.MembersMax];
    private readonly QuorumAnswer[] heard = new QuorumAnswer[ClusterConfiguration.MembersMax];
    private readonly ReadIndexQueue reads = new();
    private readonly UncommittedSizes uncommitted = new();
    private readonly HandOver handOver = new(core);

    /// <summary>Of the configuration in effect; of this server too, though it says nothing there.</summary>
    private Progress[] progressByOrdinal = [];

    /// <summary>-1 when the latest configuration, uncommitted at the election, leaves this server out (thesis §4.2.2).</summary>
    private int self;

    /// <summary>The round of reads under way.</summary>
    private bool isAskedOfAll;

    /// <summary>Index of the entry that opened this term.</summary>
    private long termStart;
    private int ticksToHeartbeat;
    private int ticksToQuorumCheck;

    /// <summary>The log's last index at the last heartbeat, and at the one before.</summary>
    private long lastAtHeartbeat;
    private long lastAtEarlierHeartbeat;

    public bool MayChangeConfiguration =>
        Core.Log.Committed >= termStart
        && !Core.IsChangingConfiguration
        && !handOver.IsUnderWay;

    public bool IsHandingOver => handOver.IsUnderWay;

    public bool HoldsProposals
    {
        get
        {
            // With an append's worth uncommitted this server's disk has better things to do than to wait for more.
            if (uncommitted.Bytes >= Core.Options.AppendBytesMax)
                return false;
            bool holds = false;
            foreach (int voter in Core.Configuration.Voters)
            {
                if (voter == self || progressByOrdinal[voter].State != ProgressState.Replicate)
                    continue;
                holds = progressByOrdinal[voter].AwaitsFreshAppend;
                if (!holds)
                    return false;
            }
            return holds;
        }
    }

    public long ReplicatedTo
    {
        get
        {
            long index = Core.Log.Last.Index;
            for (int i = 0; i < progressByOrdinal.Length; i++)
            {
                // Who lacks what is compacted gets a snapshot.
                if (i != self && progressByOrdinal[i].Match >= Core.Log.Base.Index)
                    index = Math.Min(index, progressByOrdinal[i].Match);
            }
            return index;
        }
    }

    public void Enter()
    {
        progressByOrdinal = [];
        Reconfigure(default);
        reads.Clear();
        handOver.Clear();
        lastAtHeartbeat = lastAtEarlierHeartbeat = Core.Log.Last.Index + 1;
        uncommitted.Begin(Core.Log.Last.Index);
        ticksToHeartbeat = Core.Options.HeartbeatTicks;
        ticksToQuorumCheck = Core.Options.ElectionTicks;
        // §8: a blank entry, so that the leader learns what is committed. Nothing of earlier terms commits before it (§5.4.2).
        Append(Record.HeaderSize);
        termStart = Core.Log.Last.Index;
    }

    public ProposeResult Propose(int bytes)
    {
        if (handOver.IsUnderWay)
            return ProposeResult.HandingOver;
        if (uncommitted.Bytes > 0 && uncommitted.Bytes + bytes > Core.Options.UncommittedBytesMax)
            return ProposeResult.Busy;
        Append(bytes);
        return ProposeResult.Accepted;
    }

    public void ProposeConfiguration(ClusterConfiguration next, int bytes)
    {
        ReadOnlySpan<ulong> before = Core.Configuration.Servers;
        Append(bytes);
        Core.Log.Configurations.Append(Core.Log.Last.Index, next);
        // Who isn't to stay a voter hands over first.
        Invariant.Hold(Core.Configuration.StaysVoter(Core.Id));
        Reconfigure(before);
        // Those that remain may have confirmed the round already; who is removed answers no more.
        ConfirmReads();
    }

    public ClusterConfiguration? NextConfiguration()
    {
        ClusterConfiguration current = Core.Configuration.Cluster;
        if (current.IsJoint && !current.LeavesJointItself)
            return null;
        if (!Core.Configuration.StaysVoter(Core.Id))
        {
            HandOver();
            return null;
        }
        if (current.IsJoint)
            return ConfigurationEditor.LeaveJoint(current, out _);
        for (int i = 0; i < progressByOrdinal.Length; i++)
        {
            if (current.Members[i].Role == MemberRole.Learner && HasCaughtUp(progressByOrdinal[i]))
                return ConfigurationEditor.Simple(current, [new(MemberEditKind.AddVoter, current.Members[i].Id)], out _);
        }
        return null;
    }

    public bool HandOver()
    {
        if (handOver.IsUnderWay)
            return true;
        ulong target = 0;
        long best = -1;
        foreach (int voter in Core.Configuration.Voters)
        {
            Progress progress = progressByOrdinal[voter];
            if (voter == self || progress.TicksSinceHeard > Core.Options.ElectionTicks || progress.Match <= best)
                continue;
            target = Core.Configuration.Servers[voter];
            best = progress.Match;
        }
        if (target != 0)
            handOver.Begin(target);
        return target != 0;
    }

    public void AddRead(ulong from, long context) => reads.Add(from, context);

    public void MessagesMayBeLost(ulong peer) => ProgressOf(peer).MessagesMayBeLost();

    public void AwaitCommit(ulong peer, long index) =>
        ProgressOf(peer).CommitAwaited = Math.Max(ProgressOf(peer).CommitAwaited, index);

    public bool WantsSnapshot(ulong peer) => ProgressOf(peer).WantsSnapshot;

    public void SnapshotStarted(ulong peer) => ProgressOf(peer).SnapshotStarted();

    public void SnapshotEnded(ulong peer, long next) => ProgressOf(peer).SnapshotEnded(next);

    public override void Tick()
    {
        if (--ticksToQuorumCheck == 0 && !CheckQuorum())
            return;
        foreach (Progress progress in progressByOrdinal)
            progress.Tick();
        handOver.Tick();
        if (reads.IsConfirming && !isAskedOfAll)
        {
            isAskedOfAll = true;
            BroadcastHeartbeat();
        }
        if (--ticksToHeartbeat == 0)
        {
            lastAtEarlierHeartbeat = lastAtHeartbeat;
            lastAtHeartbeat = Core.Log.Last.Index;
            ticksToHeartbeat = Core.Options.HeartbeatTicks;
            BroadcastHeartbeat();
        }
    }

    public override EntryRange Step(
        in Message message, ReadOnlySpan<RecordHeader> entries, ReadOnlySpan<ClusterConfiguration?> configurations)
    {
        // Election Safety (figure 3): nobody else leads this term.
        Invariant.Hold(message.Type is not (MessageType.Append or MessageType.Heartbeat));
        Progress progress = ProgressOf(message.From);
        progress.Heard();
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
                if (ConfirmsItsOwnRead(message.From))
                    SendReadIndexResponse(message.From, progress, message.Context, Core.Log.Committed);
                else
                    AddRead(message.From, message.Context);
                break;
        }
        return EntryRange.None;
    }

    public override void OnDurable() => AdvanceCommit();

    public void EndBatch()
    {
        BeginReads();
        if (handOver.IsUnderWay)
            handOver.Proceed(ProgressOf(handOver.Target).Match);
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
        if (previous < Core.Log.Base.Index)
        {
            progress.BecomeSnapshot();
            return false;
        }
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

    /// <summary>Progress by the ordinals of the configuration that has come into effect; of servers that stay it is kept.</summary>
    private void Reconfigure(ReadOnlySpan<ulong> before)
    {
        Progress[] kept = progressByOrdinal;
        ReadOnlySpan<ulong> servers = Core.Configuration.Servers;
        progressByOrdinal = new Progress[servers.Length];
        for (int i = 0; i < servers.Length; i++)
        {
            int earlier = before.BinarySearch(servers[i]);
            if (earlier >= 0)
            {
                progressByOrdinal[i] = kept[earlier];
                continue;
            }
            progressByOrdinal[i] = new Progress(Core.Options);
            progressByOrdinal[i].Reset(Core.Log.Last.Index);
            if (!before.IsEmpty)
                progressByOrdinal[i].PresumeActive();
        }
        self = Core.Configuration.OrdinalOf(Core.Id);
    }

    /// <summary>It lacks no more than a heartbeat's worth of the log, and answers.</summary>
    private bool HasCaughtUp(Progress learner) =>
        learner.State == ProgressState.Replicate
        && learner.Match >= lastAtEarlierHeartbeat
        && learner.TicksSinceHeard <= 2 * Core.Options.HeartbeatTicks;

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
            bool isActive = progressByOrdinal[i].CheckActivity();
            heard[i] = i == self || isActive ? QuorumAnswer.Granted : QuorumAnswer.Rejected;
        }
        if (Quorum.Count(Core.Configuration, heard) == QuorumResult.Won)
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
        AskForConfirmation();
        ConfirmReads();
    }

    /// <summary>
    /// A majority is enough to ask: those that answered the last round first. If one of them is silent this time, everybody is asked at
    /// the next tick.
    /// </summary>
    private void AskForConfirmation()
    {
        for (int i = 0; i < progressByOrdinal.Length; i++)
            heard[i] = i == self ? QuorumAnswer.Granted : QuorumAnswer.Unknown;
        for (int i = 0; i < progressByOrdinal.Length && Quorum.Count(Core.Configuration, heard) != QuorumResult.Won; i++)
        {
            if (progressByOrdinal[i].HelpedToConfirm)
                heard[i] = QuorumAnswer.Granted;
        }
        bool isMajority = Quorum.Count(Core.Configuration, heard) == QuorumResult.Won;
        for (int i = 0; i < progressByOrdinal.Length; i++)
        {
            if (i != self && (!isMajority || heard[i] == QuorumAnswer.Granted))
                SendHeartbeat(Core.Configuration.Servers[i], progressByOrdinal[i]);
        }
        isAskedOfAll = !isMajority;
    }

    private void ConfirmReads()
    {
        if (!reads.IsConfirming)
            return;
        for (int i = 0; i < progressByOrdinal.Length; i++)
            heard[i] = i == self || progressByOrdinal[i].ReadRound >= reads.Round ? QuorumAnswer.Granted : QuorumAnswer.Unknown;
        if (Quorum.Count(Core.Configuration, heard) != QuorumResult.Won)
            return;
        for (int i = 0; i < progressByOrdinal.Length; i++)
            progressByOrdinal[i].HelpedToConfirm = i != self && heard[i] == QuorumAnswer.Granted;
        foreach ((ulong server, long context) in reads.Confirm())
        {
            if (server == Core.Id)
                Core.Ready.Reads.Add(new ReadState(context, reads.Index));
            else if (Core.Configuration.OrdinalOf(server) >= 0)
                SendReadIndexResponse(server, ProgressOf(server), context, reads.Index);
        }
    }

    /// <summary>
    /// Who asks for a read was in this term when it asked, and the read had come to it before. If it and this server are a majority,
    /// nobody had won a later term by then, which takes the vote of one of the two: a round of heartbeats (thesis §6.4) would say no more.
    /// </summary>
    private bool ConfirmsItsOwnRead(ulong asker)
    {
        int ordinal = Core.Configuration.OrdinalOf(asker);
        for (int i = 0; i < progressByOrdinal.Length; i++)
            heard[i] = i == self || i == ordinal ? QuorumAnswer.Granted : QuorumAnswer.Unknown;
        return Core.Log.Committed >= termStart && Quorum.Count(Core.Configuration, heard) == QuorumResult.Won;
    }

    private void SendReadIndexResponse(ulong server, Progress progress, long context, long index)
    {
        long commit = Math.Min(Core.Log.Committed, progress.Match);
        progress.CommitAwaited = Math.Max(progress.CommitAwaited, index);
        progress.CommitSent = Math.Max(progress.CommitSent, commit);
        Core.Send(new Message
        {
            Type = MessageType.ReadIndexResponse,
            To = server,
            Position = new LogPosition(0, index),
            Commit = commit,
            Context = context,
        });
    }
}
