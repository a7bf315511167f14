using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// The leader's role: replicates the log (§5.3) and commits entries of its own term by counting (§5.4.2). The leader
/// also proposes configurations (§6), and steps down without a quorum (thesis §6.2). Reads are in
/// <see cref="ReadRounds"/>.
/// </summary>
internal sealed class Leader : Role
{
    private readonly ProgressTable progress;
    private readonly Heartbeats heartbeats;
    private readonly ReadRounds reads;
    private readonly CatchUp catchUp;
    private readonly LearnerPromotion promotion;
    private readonly HandOver handOver;
    private readonly DiskHandOver diskHandOver;
    private readonly WritingMajority writing;
    private readonly UncommittedSizes uncommitted = new();
    private readonly long[] matchIndex = new long[ClusterConfiguration.MembersMax];
    private readonly QuorumAnswer[] heard = new QuorumAnswer[ClusterConfiguration.MembersMax];

    /// <summary>Index of the entry that opened this term.</summary>
    private long termStart;
    private int ticksToQuorumCheck;

    public Leader(RaftCore core) : base(core)
    {
        progress = new ProgressTable(core);
        heartbeats = new Heartbeats(core, progress);
        reads = new ReadRounds(core, progress, heartbeats);
        writing = new WritingMajority(core, progress);
        catchUp = new CatchUp(core, progress);
        promotion = new LearnerPromotion(core, progress, catchUp, writing);
        handOver = new HandOver(core, progress);
        diskHandOver = new DiskHandOver(core, progress, handOver);
    }

    public bool MayChangeConfiguration =>
        Core.Log.Committed >= termStart
        && !Core.IsChangingConfiguration
        && !handOver.IsUnderWay
        && !Core.LogWriteIsOverdue;

    public bool IsHandingOver => handOver.IsUnderWay;

    public long UncommittedBytes => uncommitted.Bytes;

    public bool MajorityLacksRoom => diskHandOver.MajorityLacksRoom;

    public bool HoldsProposals
    {
        get
        {
            // The uncommitted entries already fill an append: write them now, and don't wait for more.
            if (uncommitted.Bytes >= Core.Options.AppendBytesMax)
                return false;
            bool holds = false;
            foreach (int voter in Core.Configuration.Voters)
            {
                Progress follower = progress[voter];
                if (voter == progress.Self || follower.State != ProgressState.Replicate)
                    continue;
                if (follower.AwaitsAcknowledgement)
                    holds = true;
                else if (!follower.IsDistant)
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
            for (int i = 0; i < progress.Count; i++)
            {
                // A follower that needs compacted entries gets a snapshot; skip it here.
                if (i != progress.Self && progress[i].Match >= Core.Log.Base.Index)
                    index = Math.Min(index, progress[i].Match);
            }
            return index;
        }
    }

    /// <inheritdoc cref="CatchUp.NeededAfter"/>
    public long NeededAfter => catchUp.NeededAfter;

    /// <summary>Knowledge of each other server of the configuration in effect. Allocates.</summary>
    public FollowerProgress[] Followers()
    {
        List<FollowerProgress> followers = [];
        for (int i = 0; i < progress.Count; i++)
        {
            if (i == progress.Self)
                continue;
            Progress follower = progress[i];
            followers.Add(new FollowerProgress(
                Core.Configuration.Servers[i], follower.State, follower.Match, follower.Next,
                follower.TicksSinceHeard, follower.LacksRoom));
        }
        return [.. followers];
    }

    public void Enter()
    {
        progress.Reset();
        handOver.Clear();
        heartbeats.Enter();
        catchUp.Enter();
        promotion.Enter();
        uncommitted.Begin(Core.Log.Last.Index);
        ticksToQuorumCheck = Core.Options.ElectionTicks;
        // §8: a blank entry, so that the leader learns what is committed. No earlier entry commits before the blank
        // entry (§5.4.2).
        Append(Record.HeaderSize);
        termStart = Core.Log.Last.Index;
        reads.Enter(termStart);
    }

    public ProposeResult Propose(int bytes)
    {
        if (handOver.IsUnderWay)
            return ProposeResult.HandingOver;
        if (Core.LogWriteIsOverdue)
            return ProposeResult.DiskHangs;
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
        // A leader that will not stay a voter hands over first.
        Invariant.Hold(Core.Configuration.StaysVoter(Core.Id));
        progress.Reconfigure(before);
        // The remaining servers may already have confirmed the read round; a removed server answers no more.
        reads.Confirm();
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
        return current.IsJoint ? ConfigurationEditor.LeaveJoint(current, out _) : promotion.Next();
    }

    /// <inheritdoc cref="WritingMajority.Of"/>
    public QuorumResult MajorityWrites(ClusterConfiguration next, out MissingVoters missing) =>
        writing.Of(next, out missing);

    public PromotionWait PromotionWait => promotion.Wait;

    public bool HandOverTo(ulong to) => handOver.TryBegin(to);

    public bool HandOver() => handOver.TryBegin();

    public void AddRead(ulong from, long context) => reads.Add(from, context);

    public int TicksSinceHeard(ulong peer) => progress.Of(peer).TicksSinceHeard;

    public void MessagesMayBeLost(ulong peer) => progress.Of(peer).MessagesMayBeLost();

    public void AwaitCommit(ulong peer, long index) => progress.Of(peer).AwaitCommit(index);

    public bool WantsSnapshot(ulong peer) => progress.Of(peer).WantsSnapshot;

    public void SnapshotStarted(ulong peer) => progress.Of(peer).SnapshotStarted();

    public void SnapshotEnded(ulong peer, long next) => progress.Of(peer).SnapshotEnded(next);

    public override void Tick()
    {
        if (--ticksToQuorumCheck == 0 && !CheckQuorum())
            return;
        if (Core.LogReadIsOverdue)
        {
            Core.BecomeFollower(Core.Term, leader: 0);
            return;
        }
        foreach (Progress follower in progress.All)
            follower.Tick(Core.Log.Last.Index);
        handOver.Tick();
        diskHandOver.Tick();
        reads.Tick();
        if (heartbeats.Tick())
        {
            catchUp.OnHeartbeat();
            heartbeats.Broadcast(reads.RoundUnderWay);
        }
    }

    public override EntryRange Step(
        in Message message, ReadOnlySpan<RecordHeader> entries, ReadOnlySpan<ClusterConfiguration?> configurations)
    {
        // Election Safety (figure 3): no other server leads this term.
        Invariant.Hold(message.Type is not (MessageType.Append or MessageType.Heartbeat));
        Progress follower = progress.Of(message.From);
        follower.Heard();
        switch (message.Type)
        {
            case MessageType.AppendResponse when message.Rejected:
                OnRejection(message, follower);
                break;
            case MessageType.AppendResponse:
                Invariant.Hold(message.Position.Index <= Core.Log.Last.Index);
                follower.LacksRoom = message.Count != 0;
                if (follower.Acknowledged(message.Position.Index))
                    AdvanceCommit();
                break;
            case MessageType.HeartbeatResponse:
                follower.LacksRoom = message.Count != 0;
                follower.HeartbeatAnswered();
                reads.OnHeartbeatAnswered(follower, message.Context);
                break;
            case MessageType.ReadIndex:
                reads.OnRequest(message.From, message.Context);
                break;
        }
        return EntryRange.None;
    }

    public override void OnDurable() => AdvanceCommit();

    public void EndBatch()
    {
        reads.Begin();
        handOver.Proceed();
        heartbeats.SendAwaitedCommits(reads.RoundUnderWay);
    }

    public bool TryNextAppend(ulong peer, out Message append)
    {
        append = default;
        Progress follower = progress.Of(peer);
        if (!follower.MaySend(Core.Log.Last.Index))
            return false;
        long previous = follower.Next - 1;
        if (previous < Core.Log.Base.Index)
        {
            follower.BecomeSnapshot();
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
        Progress follower = progress.Of(peer);
        // The follower commits no further than the last entry of the append (figure 2).
        follower.CommitSent = Math.Max(follower.CommitSent, Math.Min(Core.Log.Committed, follower.Next - 1 + count));
        follower.Sent(count, bytes, isLast: follower.Next - 1 + count == Core.Log.Last.Index);
    }

    /// <summary>Leader Append-Only (figure 3): a leader only ever adds to its log.</summary>
    private void Append(int bytes)
    {
        Core.Log.Append(new LogPosition(Core.Term, Core.Log.Last.Index + 1));
        uncommitted.Add(bytes);
    }

    /// <summary>
    /// Uses the conflict hint of a follower (computed in <see cref="Follower"/>). The next probe follows the leader's
    /// last entry with an index and a term not above those of the hint. After that entry, no entries can match. Figure
    /// 7 (e), with a leader of term 8:
    /// <code>
    /// index      1  2  3  4  5  6  7  8  9 10
    /// leader     1  1  1  4  4  5  5  6  6  6    rejected: the probe after entry 10, term 6
    /// follower   1  1  1  4  4  4  4             hint: its entry 7, term 4
    ///                        └ next probe: the leader's entry 5, its last of term 4 or below; the logs match there
    /// </code>
    /// </summary>
    private void OnRejection(in Message message, Progress follower)
    {
        LogPosition hint = Core.Log.LastNotAbove(message.Position.Index, message.Position.Term);
        follower.Rejected(message.Context, hint.Index);
    }

    /// <summary>
    /// Commits what a majority holds on stable storage (§5.3, §5.4). The leader counts itself only up to Durable
    /// (thesis §10.2.1).
    /// </summary>
    private void AdvanceCommit()
    {
        for (int i = 0; i < progress.Count; i++)
            matchIndex[i] = i == progress.Self ? Core.Log.Durable : progress[i].Match;
        long index = Quorum.CommittedIndex(Core.Configuration, matchIndex);
        // §5.4.2: counting commits only entries of the leader's own term; earlier entries commit with them.
        if (index <= Core.Log.Committed || Core.Log.TermAt(index) != Core.Term)
            return;
        Core.Log.CommitTo(index);
        uncommitted.CommitTo(index);
    }

    /// <summary>
    /// CheckQuorum: a leader that hears from no quorum within an election timeout steps down (thesis §6.2). A leader
    /// that has stepped down no longer keeps followers from electing another leader. The clients of such a leader learn
    /// that they must ask another member.
    /// </summary>
    private bool CheckQuorum()
    {
        ticksToQuorumCheck = Core.Options.ElectionTicks;
        for (int i = 0; i < progress.Count; i++)
        {
            bool isActive = progress[i].CheckActivity();
            heard[i] = i == progress.Self || isActive ? QuorumAnswer.Granted : QuorumAnswer.Rejected;
        }
        if (Quorum.Count(Core.Configuration, heard) == QuorumResult.Won)
            return true;
        Core.BecomeFollower(Core.Term, leader: 0);
        return false;
    }
}

/// <summary>Result of a proposal to the core.</summary>
public enum ProposeResult
{
    Accepted,

    /// <summary>This server is not the leader; it has appended nothing.</summary>
    NotLeader,

    /// <summary>
    /// The entry would exceed <see cref="RaftOptions.UncommittedBytesMax"/>; the leader has appended nothing.
    /// </summary>
    Busy,

    /// <summary>
    /// The leader is handing over and has appended nothing. Within an election timeout, another server leads or the
    /// leader gives the hand-over up.
    /// </summary>
    HandingOver,

    /// <summary>A write of the leader's log has been out for too long; the leader has appended nothing.</summary>
    DiskHangs,
}
