using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Raft for one server: a deterministic state machine without I/O, clocks or threads. Inputs: <see cref="Tick"/>,
/// <see cref="Step"/>, <see cref="Propose"/>, <see cref="RequestRead"/>, <see cref="DurableTo"/>,
/// <see cref="AppliedTo"/>, <see cref="AwaitCommit"/>, <see cref="AppendSent"/>, <see cref="MessagesMayBeLost"/>,
/// <see cref="ProposeConfiguration"/>, <see cref="HandOver"/>, <see cref="LogWriteBegun"/>,
/// <see cref="LogWriteEnded"/>, <see cref="LogReadBegun"/>, <see cref="LogReadEnded"/>, <see cref="LacksRoom"/>,
/// <see cref="AskAgain"/>; after each batch of inputs, <see cref="EndBatch"/>.
/// Outputs: <see cref="HardState"/>, <see cref="Ready"/>, <see cref="TryNextAppend"/>, and the log's Committed.
/// In this project, § means the Raft paper (Ongaro and Ousterhout, extended version), and "thesis §" Ongaro's thesis.
/// </summary>
public sealed class RaftCore
{
    private readonly Follower follower;
    private readonly Candidate candidate;
    private readonly Leader leader;
    private readonly DiskTimer logWrite;
    private readonly DiskTimer logRead;
    private Role role;

    /// <param name="random">The only source of randomness: election timeouts.</param>
    /// <param name="applied">
    /// Last entry of the snapshot that the state machine was loaded from; 0 without a snapshot.
    /// </param>
    public RaftCore(
        ulong id, ConfigurationHistory configurations, RaftOptions options, HardState recovered, TermRuns recoveredLog,
        Random random, long applied = 0)
    {
        options.Validate();
        Invariant.Hold(id > 0);
        Id = id;
        Options = options;
        Log = new RaftLog(recoveredLog, configurations, applied);
        // An entry of the log proves that this server saw the entry's term, even if no record of term and vote says so.
        HardState = recovered.Term >= Log.Last.Term ? recovered : new HardState(Log.Last.Term, 0);
        Timer = new ElectionTimer(options.ElectionTicks, random);
        logWrite = new DiskTimer(options.OverdueWriteTicks);
        logRead = new DiskTimer(options.OverdueWriteTicks);
        follower = new Follower(this);
        candidate = new Candidate(this);
        leader = new Leader(this);
        role = follower;
    }

    public ulong Id { get; }

    /// <summary>The configuration in effect.</summary>
    public ConfigurationState Configuration => Log.Configurations.Effective;

    public RaftLog Log { get; }

    public Ready Ready { get; } = new();

    /// <summary>Term and vote, which must be durable before any message of <see cref="Ready"/> leaves.</summary>
    public HardState HardState { get; private set; }

    public long Term => HardState.Term;

    /// <summary>The current term's leader; 0 if it is not known.</summary>
    public ulong LeaderId { get; private set; }

    public RoleName Role => role == leader ? RoleName.Leader
        : role == follower ? RoleName.Follower
        : candidate.IsPreVote ? RoleName.PreCandidate : RoleName.Candidate;

    public bool IsLeader => role == leader;

    /// <summary>
    /// True while this server leads or hears from the leader. While true, a few late ticks that come all at once start
    /// no needless election.
    /// </summary>
    public bool IsSettled =>
        IsLeader || (role == follower && LeaderId != 0 && Timer.Elapsed <= 2 * Options.HeartbeatTicks);

    /// <inheritdoc cref="RaftOptions.AppendBytesMax"/>
    public int AppendBytesMax => Options.AppendBytesMax;

    /// <summary>
    /// Index up to which this server sends the log to no other server any more; on a follower, the log's last index.
    /// Servers that need a snapshot first don't count.
    /// </summary>
    public long ReplicatedTo => IsLeader ? leader.ReplicatedTo : Log.Last.Index;

    internal RaftOptions Options { get; }

    internal ElectionTimer Timer { get; }

    /// <summary>
    /// True while the oldest log write has been out for <see cref="RaftOptions.OverdueWriteTicks"/>. While true, this
    /// server takes no proposals, grants no votes and does not campaign: it could keep none of these promises.
    /// </summary>
    public bool LogWriteIsOverdue => logWrite.IsOverdue;

    /// <summary>
    /// True while the oldest log read for a follower has been out for <see cref="RaftOptions.OverdueWriteTicks"/>. This
    /// server can't bring that follower up to date, so another voter should lead: this server steps down, and does not
    /// campaign.
    /// </summary>
    public bool LogReadIsOverdue => logRead.IsOverdue && Configuration.Voters.Length > 1;

    /// <summary>
    /// True while this server should not come to lead: a write or a read of its log has been out for too long.
    /// </summary>
    internal bool DiskHangs => LogWriteIsOverdue || LogReadIsOverdue;

    /// <summary>True while this server's disk has no room for another append of full size.</summary>
    public bool LacksRoom { get; set; }

    /// <summary>True if this server leads, and no majority of the voters has room in the log.</summary>
    public bool MajorityLacksRoom => IsLeader && leader.MajorityLacksRoom;

    /// <summary>Bytes of the entries that this leader has not committed; 0 on other servers.</summary>
    public long UncommittedBytes => IsLeader ? leader.UncommittedBytes : 0;

    /// <inheritdoc cref="RaftOptions.UncommittedBytesMax"/>
    public long UncommittedBytesMax => Options.UncommittedBytesMax;

    /// <summary>Ticks since this server last heard from the leader, or voted; 0 on the leader.</summary>
    public int TicksSinceLeader => IsLeader ? 0 : Timer.Elapsed;

    /// <summary>The leader's knowledge of the other servers, for operators; empty on other servers.</summary>
    public IReadOnlyList<FollowerProgress> Followers() => IsLeader ? leader.Followers() : [];

    public void Tick()
    {
        logWrite.Tick();
        logRead.Tick();
        role.Tick();
    }

    /// <summary>A write of the log has begun, or waits for the writes before it.</summary>
    public void LogWriteBegun() => logWrite.Begun();

    /// <param name="isNextOut">True if another write has begun meanwhile.</param>
    public void LogWriteEnded(bool isNextOut) => logWrite.Ended(isNextOut);

    /// <summary>A read of the log for a follower has begun, or waits for the reads before it.</summary>
    public void LogReadBegun() => logRead.Begun();

    /// <param name="isNextOut">True if another read has begun meanwhile.</param>
    public void LogReadEnded(bool isNextOut) => logRead.Ended(isNextOut);

    /// <param name="entries">Verified headers of the records of an Append, contiguous after its position.</param>
    /// <param name="configurations">
    /// The decoded configurations among the entries, each at its entry's place; may be empty if there are none.
    /// </param>
    /// <returns>
    /// The entries that the log took. From the first taken entry's index on, the log has dropped its former entries.
    /// </returns>
    public EntryRange Step(
        in Message message, ReadOnlySpan<RecordHeader> entries,
        ReadOnlySpan<ClusterConfiguration?> configurations = default)
    {
        Invariant.Hold(message.To == Id);
        Invariant.Hold(message.Type == MessageType.Append ? message.Count == entries.Length : entries.IsEmpty);
        Invariant.Hold(configurations.IsEmpty || configurations.Length == entries.Length);
        if (!Strangers.IsHeard(this, message))
            return EntryRange.None;
        if (message.Type is MessageType.PreVote or MessageType.Vote)
        {
            VoteRequests.Answer(this, message);
            return EntryRange.None;
        }
        if (message.Term > Term && !IsAnswerToPreVote(message))
            BecomeFollower(message.Term, leader: 0);
        if (message.Term < Term && !IsAnswerToPreVote(message))
        {
            RejectStale(message);
            return EntryRange.None;
        }
        return role.Step(message, entries, configurations);
    }

    /// <summary>
    /// True while a proposal to the leader would gain nothing, because each near voter that keeps up still has an
    /// append to acknowledge. An entry proposed now would wait for the next acknowledgement or tick. An entry that is
    /// proposed only then is sent no later. Entries that wait together share one write to the leader's log and one
    /// write to each follower's log.
    /// </summary>
    public bool HoldsProposals => IsLeader && leader.HoldsProposals;

    /// <summary>
    /// Appends an entry of <paramref name="bytes"/> to the leader's log. The log's Last is then the entry's position.
    /// </summary>
    public ProposeResult Propose(int bytes) => IsLeader ? leader.Propose(bytes) : ProposeResult.NotLeader;

    /// <summary>
    /// True if the leader may propose a configuration: an entry of its term has committed, and no other change is under
    /// way (thesis §4.1). Without the first condition, a change of an earlier term might still win, and two majorities
    /// need not overlap.
    /// </summary>
    public bool MayChangeConfiguration => IsLeader && leader.MayChangeConfiguration;

    /// <summary>True while a configuration in the log is not known to be committed.</summary>
    public bool IsChangingConfiguration => Log.Configurations.Pending > 0;

    /// <summary>
    /// Appends a configuration, which takes effect at once (thesis §4.1). This server must stay a voter in the
    /// configuration.
    /// </summary>
    /// <param name="bytes">Bytes of the configuration's record.</param>
    public void ProposeConfiguration(ClusterConfiguration next, int bytes)
    {
        Invariant.Hold(MayChangeConfiguration);
        leader.ProposeConfiguration(next, bytes);
    }

    /// <summary>
    /// The configuration that the leader should propose by itself: the end of a joint configuration, or the promotion
    /// of a learner that has caught up. Null if there is nothing to propose.
    /// </summary>
    public ClusterConfiguration? NextConfiguration() => MayChangeConfiguration ? leader.NextConfiguration() : null;

    /// <inheritdoc cref="WritingMajority.Of"/>
    /// <summary>Tells the leader if a majority of the voters of a configuration writes now.</summary>
    public QuorumResult MajorityWrites(ClusterConfiguration next, out MissingVoters missing)
    {
        Invariant.Hold(IsLeader);
        return leader.MajorityWrites(next, out missing);
    }

    /// <summary>Promotion of a learner that the leader delays until other voters write; default if none.</summary>
    public PromotionWait PromotionWait => IsLeader ? leader.PromotionWait : default;

    /// <summary>Ticks since the last message from a member. Only the leader may be asked.</summary>
    public int TicksSinceHeard(ulong peer) => leader.TicksSinceHeard(peer);

    /// <summary>True if this server leads and has heard the peer within an election timeout.</summary>
    public bool HasHeard(ulong peer) =>
        IsLeader && Configuration.OrdinalOf(peer) >= 0 && TicksSinceHeard(peer) <= Options.ElectionTicks;

    /// <summary>
    /// Makes the leader hand over to the most up-to-date of the other voters (thesis §3.10). The leader takes no
    /// proposals meanwhile, and gives up after an election timeout. Returns false if no other voter answers.
    /// </summary>
    public bool HandOver() => IsLeader && leader.HandOver();

    /// <summary>Makes the leader hand over to this voter, as an operator asks.</summary>
    /// <param name="to">0 for the most up-to-date of the other voters.</param>
    public HandOverStart HandOverTo(ulong to)
    {
        if (!IsLeader)
            return HandOverStart.NotLeader;
        if (to == Id)
            return HandOverStart.Leads;
        if (to != 0 && Configuration.Cluster.Find(to) is not { Role: MemberRole.Voter })
            return HandOverStart.NoVoter;
        return (to == 0 ? leader.HandOver() : leader.HandOverTo(to)) ? HandOverStart.Begun : HandOverStart.Refused;
    }

    public bool IsHandingOver => IsLeader && leader.IsHandingOver;

    /// <summary>
    /// True if the leader must send a snapshot to this server: the server's next entry is compacted, and no snapshot is
    /// on its way. The caller starts a transfer and calls <see cref="SnapshotStarted"/>.
    /// </summary>
    public bool WantsSnapshot(ulong peer) => IsLeader && leader.WantsSnapshot(peer);

    /// <summary>
    /// Asks the leader to send again what follows the end of this server's log. The caller has dropped an append for
    /// which the log had no room, and has room now. Without this, the leader would wait for an election timeout.
    /// </summary>
    public void AskAgain()
    {
        if (role == follower && LeaderId != 0)
            follower.AskAgain();
    }

    /// <inheritdoc cref="CatchUp.NeededAfter"/>
    public long NeededAfter => IsLeader ? leader.NeededAfter : long.MaxValue;

    public void SnapshotStarted(ulong peer) => leader.SnapshotStarted(peer);

    /// <param name="installed">Last entry that the snapshot covers; 0 if the transfer failed.</param>
    public void SnapshotEnded(ulong peer, long installed)
    {
        if (IsLeader && Configuration.OrdinalOf(peer) >= 0)
            leader.SnapshotEnded(peer, installed + 1);
    }

    /// <summary>
    /// §7: true if another server's snapshot must replace the log and the state machine (<see cref="Install"/>). If
    /// false, the snapshot is stale, or the log holds the snapshot's last entry. In the second case, the call commits
    /// the entries up to the snapshot's last entry.
    /// <para>
    /// The sender's term does not matter: a snapshot holds only committed entries, which every later leader has (Leader
    /// Completeness). So the snapshot stays valid if its sender no longer leads.
    /// </para>
    /// </summary>
    public bool OfferSnapshot(LogPosition snapshot)
    {
        if (IsLeader || snapshot.Index <= Log.Committed)
            return false;
        if (!Log.Matches(snapshot))
            return true;
        Log.CommitTo(snapshot.Index);
        return false;
    }

    /// <summary>
    /// Replaces the whole log and the configurations by a durable snapshot. A candidate can't win without the
    /// snapshot's entries, and becomes a follower.
    /// </summary>
    public void Install(LogPosition snapshot, long configurationIndex, ClusterConfiguration configuration)
    {
        Invariant.Hold(!IsLeader);
        if (role != follower)
            BecomeFollower(Term, leader: 0);
        Log.Install(snapshot, configurationIndex, configuration);
        follower.Installed(snapshot.Index);
    }

    /// <summary>
    /// Asks for an index that makes a read linearizable. The answer comes as a <see cref="ReadState"/>, or never: the
    /// caller then asks again with a new context. A new request of this server replaces its last one. Returns false if
    /// no leader is known.
    /// </summary>
    public bool RequestRead(long context)
    {
        if (IsLeader)
            leader.AddRead(Id, context);
        else if (LeaderId != 0)
            Send(new Message { Type = MessageType.ReadIndex, To = LeaderId, Context = context });
        return LeaderId != 0;
    }

    /// <summary>Stable storage holds the log up to this entry, as the log was when the write was submitted.</summary>
    public void DurableTo(LogPosition entry)
    {
        if (Log.DurableTo(entry))
            role.OnDurable();
    }

    public void AppliedTo(long index) => Log.AppliedTo(index);

    /// <summary>The latest messages to this server may be lost: its connection broke, or is new.</summary>
    public void MessagesMayBeLost(ulong peer)
    {
        if (IsLeader && Configuration.OrdinalOf(peer) >= 0)
            leader.MessagesMayBeLost(peer);
    }

    /// <summary>
    /// Makes the leader tell this follower of the commitment of <paramref name="index"/> at once, and not with the next
    /// heartbeat.
    /// </summary>
    public void AwaitCommit(ulong peer, long index)
    {
        if (IsLeader && Configuration.OrdinalOf(peer) >= 0)
            leader.AwaitCommit(peer, index);
    }

    /// <summary>Ends a batch of inputs, and sends the messages that need to go out only once a batch.</summary>
    public void EndBatch()
    {
        if (IsLeader)
            leader.EndBatch();
    }

    /// <summary>
    /// Gets the next append to this server. Returns false if its window allows none. Position is the entry before the
    /// first to send. The caller adds records up to the log's Last, of at most <see cref="RaftOptions.AppendBytesMax"/>
    /// bytes together, or one larger record. A probe at the log's end carries no record. The caller then sends the
    /// append and calls <see cref="AppendSent"/>.
    /// </summary>
    public bool TryNextAppend(ulong peer, out Message append)
    {
        append = default;
        return IsLeader && leader.TryNextAppend(peer, out append);
    }

    /// <param name="count">Number of entries in the append.</param>
    /// <param name="bytes">Bytes of their records.</param>
    public void AppendSent(ulong peer, int count, int bytes) => leader.AppendSent(peer, count, bytes);

    internal void Send(in Message message) =>
        Ready.Messages.Add(message with { From = Id, Term = message.Term == 0 ? Term : message.Term });

    internal void FollowLeader(ulong leader)
    {
        // Election Safety (figure 3). A second leader in the term would destroy committed entries.
        Invariant.Hold(LeaderId == 0 || LeaderId == leader);
        LeaderId = leader;
        Timer.Reset();
    }

    internal void BecomeFollower(long term, ulong leader)
    {
        Invariant.Hold(term >= Term);
        // §5.1: this server adopts a newer term, in which it has not voted yet.
        if (term > Term)
            HardState = new HardState(term, 0);
        LeaderId = leader;
        Timer.Redraw();
        role = follower;
        follower.Enter();
    }

    /// <summary>
    /// Begins a campaign after the election timeout: a pre-vote first asks if an election could be won (thesis §9.6).
    /// </summary>
    internal void Campaign()
    {
        LeaderId = 0;
        Timer.Redraw();
        // The candidate's vote for itself would have to be written first.
        if (DiskHangs && role == candidate)
            BecomeFollower(Term, leader: 0);
        if (DiskHangs || !Log.Configurations.HasVoter(Id))
            return;
        role = candidate;
        candidate.Enter(preVote: true, isHandOver: false);
    }

    /// <summary>§5.2: increments the term and votes for this server itself.</summary>
    /// <param name="isHandOver">True if the leader has asked for the election (thesis §3.10).</param>
    internal void BecomeCandidate(bool isHandOver = false)
    {
        HardState = new HardState(Term + 1, Id);
        LeaderId = 0;
        Timer.Redraw();
        role = candidate;
        candidate.Enter(preVote: false, isHandOver);
    }

    internal void VoteFor(ulong server)
    {
        HardState = HardState with { Vote = server };
        Timer.Reset();
    }

    internal void BecomeLeader()
    {
        Invariant.Hold(role == candidate && !candidate.IsPreVote);
        LeaderId = Id;
        Timer.Redraw();
        role = leader;
        leader.Enter();
    }

    private static bool IsAnswerToPreVote(in Message message) =>
        message.Type == MessageType.PreVoteResponse && !message.Rejected;

    /// <summary>
    /// §5.1: rejects a request of an older term, so that the sender learns the newer term and steps down. The sender
    /// may lead the newer term meanwhile. Such a sender would take a rejection with a previous index for the answer to
    /// its append of the newer term. So the rejection has no previous index.
    /// </summary>
    private void RejectStale(in Message message)
    {
        if (message.Type is MessageType.Append or MessageType.Heartbeat)
            Send(new Message { Type = MessageType.AppendResponse, To = message.From, Rejected = true });
    }
}

/// <summary>Outcome of a request to hand over leadership to a certain server.</summary>
public enum HandOverStart
{
    /// <summary>
    /// The hand-over is under way. The hand-over may fail: the leader gives up after an election timeout.
    /// </summary>
    Begun,

    /// <summary>The request names this server, which leads already.</summary>
    Leads,

    NotLeader,

    /// <summary>The configuration in effect does not name the server as a voter.</summary>
    NoVoter,

    /// <summary>The server has not answered for an election timeout, or another hand-over is under way.</summary>
    Refused,
}
