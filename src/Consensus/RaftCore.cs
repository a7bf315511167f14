using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Raft for one server: a deterministic state machine without I/O, clocks or threads. Inputs: <see cref="Tick"/>,
/// <see cref="Step"/>, <see cref="Propose"/>, <see cref="RequestRead"/>, <see cref="DurableTo"/>, <see cref="AppliedTo"/>,
/// <see cref="AwaitCommit"/>, <see cref="AppendSent"/>, <see cref="MessagesMayBeLost"/>, <see cref="ProposeConfiguration"/>,
/// <see cref="HandOver"/>; after a batch of them, <see cref="EndBatch"/>. Outputs: <see cref="HardState"/>,
/// <see cref="Ready"/>, <see cref="TryNextAppend"/>, and the log's Committed.
/// Section numbers are those of the Raft paper (Ongaro and Ousterhout, extended version) unless "thesis" is said.
/// </summary>
public sealed class RaftCore
{
    private readonly Follower follower;
    private readonly Candidate candidate;
    private readonly Leader leader;
    private Role role;

    /// <param name="random">The only source of randomness: election timeouts.</param>
    /// <param name="applied">The last entry of the snapshot that the state machine was loaded from; 0: none.</param>
    public RaftCore(
        ulong id, ConfigurationHistory configurations, RaftOptions options, HardState recovered, TermRuns recoveredLog, Random random,
        long applied = 0)
    {
        options.Validate();
        Invariant.Hold(id > 0);
        Id = id;
        Options = options;
        Log = new RaftLog(recoveredLog, configurations, applied);
        // A log entry of a term proves that the term was seen, though its record of term and vote may not have been needed.
        HardState = recovered.Term >= Log.Last.Term ? recovered : new HardState(Log.Last.Term, 0);
        Timer = new ElectionTimer(options.ElectionTicks, random);
        follower = new Follower(this);
        candidate = new Candidate(this);
        leader = new Leader(this);
        role = follower;
    }

    public ulong Id { get; }

    /// <summary>The one in effect.</summary>
    public ConfigurationState Configuration => Log.Configurations.Effective;

    public RaftLog Log { get; }

    public Ready Ready { get; } = new();

    /// <summary>Must be durable before any message of <see cref="Ready"/> leaves.</summary>
    public HardState HardState { get; private set; }

    public long Term => HardState.Term;

    /// <summary>The current term's leader, or 0 when it is not known.</summary>
    public ulong LeaderId { get; private set; }

    public RoleName Role => role == leader ? RoleName.Leader
        : role == follower ? RoleName.Follower
        : candidate.IsPreVote ? RoleName.PreCandidate : RoleName.Candidate;

    public bool IsLeader => role == leader;

    /// <summary>It leads, or hears from who does: a few ticks that come late and all at once change nothing.</summary>
    public bool IsSettled => IsLeader || (role == follower && LeaderId != 0 && Timer.Elapsed <= 2 * Options.HeartbeatTicks);

    /// <inheritdoc cref="RaftOptions.AppendBytesMax"/>
    public int AppendBytesMax => Options.AppendBytesMax;

    /// <summary>Up to here nobody has to be sent the log any more, but for those who need a snapshot first.</summary>
    public long ReplicatedTo => IsLeader ? leader.ReplicatedTo : Log.Last.Index;

    internal RaftOptions Options { get; }

    internal ElectionTimer Timer { get; }

    public void Tick() => role.Tick();

    /// <param name="entries">The headers of the records that came with an Append: already verified, contiguous behind its position.</param>
    /// <param name="configurations">The decoded ones among the entries, each in its entry's place; may be empty when there are none.</param>
    /// <returns>Which of them the log took; what it held from the first of those on, it has dropped.</returns>
    public EntryRange Step(
        in Message message, ReadOnlySpan<RecordHeader> entries, ReadOnlySpan<ClusterConfiguration?> configurations = default)
    {
        Invariant.Hold(message.To == Id);
        Invariant.Hold(message.Type == MessageType.Append ? message.Count == entries.Length : entries.IsEmpty);
        Invariant.Hold(configurations.IsEmpty || configurations.Length == entries.Length);
        if (!IsHeard(message))
            return EntryRange.None;
        if (message.Type is MessageType.PreVote or MessageType.Vote)
        {
            Answer(message);
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
    /// Leader: to the voters that keep up, what is proposed now would be sent no sooner than what is proposed once this is false again, which
    /// is when one acknowledges an append, or at the next tick. All that came until then makes one write of this server's log, as it makes one of theirs.
    /// </summary>
    public bool HoldsProposals => IsLeader && leader.HoldsProposals;

    /// <summary>Appends an entry of <paramref name="bytes"/> to the leader's log; its position is then the log's Last.</summary>
    public ProposeResult Propose(int bytes) => IsLeader ? leader.Propose(bytes) : ProposeResult.NotLeader;

    /// <summary>
    /// Whether the leader may propose a configuration: once an entry of its term has committed (else a change of an earlier term
    /// might still win, and two majorities need not overlap), and one at a time (thesis §4.1).
    /// </summary>
    public bool MayChangeConfiguration => IsLeader && leader.MayChangeConfiguration;

    /// <summary>A configuration in the log is not known to be committed.</summary>
    public bool IsChangingConfiguration => Log.Configurations.Pending > 0;

    /// <summary>Appends a configuration, which is in effect from then on (thesis §4.1); this server stays a voter in it.</summary>
    /// <param name="bytes">Of its record.</param>
    public void ProposeConfiguration(ClusterConfiguration next, int bytes)
    {
        Invariant.Hold(MayChangeConfiguration);
        leader.ProposeConfiguration(next, bytes);
    }

    /// <summary>What the leader should propose of its own accord: leaving a joint configuration, or a learner that has caught up as a voter.</summary>
    public ClusterConfiguration? NextConfiguration() => MayChangeConfiguration ? leader.NextConfiguration() : null;

    /// <summary>
    /// Leader: hands over to the most up-to-date of the other voters (thesis §3.10), taking no proposals meanwhile. Given up
    /// after an election timeout.
    /// </summary>
    /// <returns>False when there is none that answers.</returns>
    public bool HandOver() => IsLeader && leader.HandOver();

    public bool IsHandingOver => IsLeader && leader.IsHandingOver;

    /// <summary>Leader: what this server needs next is compacted, and no snapshot is on its way to it: start one, and say so.</summary>
    public bool WantsSnapshot(ulong peer) => IsLeader && leader.WantsSnapshot(peer);

    public void SnapshotStarted(ulong peer) => leader.SnapshotStarted(peer);

    /// <param name="installed">The last entry that it covered; 0 when the transfer failed.</param>
    public void SnapshotEnded(ulong peer, long installed)
    {
        if (IsLeader && Configuration.OrdinalOf(peer) >= 0)
            leader.SnapshotEnded(peer, installed + 1);
    }

    /// <summary>
    /// §7: whether a snapshot of this term's leader is to take the place of the log and of the state machine, by
    /// <see cref="Install"/>. If not, it is stale, or the log holds its last entry: then all up to that one is committed.
    /// </summary>
    public bool OfferSnapshot(ulong from, long term, LogPosition snapshot)
    {
        if (term < Term || IsLeader)
            return false;
        if (term > Term || role != follower)
            BecomeFollower(term, leader: 0);
        FollowLeader(from);
        if (snapshot.Index <= Log.Committed)
            return false;
        if (!Log.Matches(snapshot))
            return true;
        Log.CommitTo(snapshot.Index);
        return false;
    }

    /// <summary>The snapshot is durable; it takes the place of all of the log, and of the configuration.</summary>
    public void Install(LogPosition snapshot, long configurationIndex, ClusterConfiguration configuration)
    {
        Invariant.Hold(role == follower);
        Log.Install(snapshot, configurationIndex, configuration);
        follower.Installed(snapshot.Index);
    }

    /// <summary>
    /// Asks for an index that makes a read linearizable; the answer comes as a <see cref="ReadState"/>, or never: then ask
    /// again with a fresh context. A new request of this server replaces its last one.
    /// </summary>
    /// <returns>False when no leader is known.</returns>
    public bool RequestRead(long context)
    {
        if (IsLeader)
            leader.AddRead(Id, context);
        else if (LeaderId != 0)
            Send(new Message { Type = MessageType.ReadIndex, To = LeaderId, Context = context });
        return LeaderId != 0;
    }

    /// <summary>Stable storage holds the log up to this entry, as it was when the write was submitted.</summary>
    public void DurableTo(LogPosition entry)
    {
        if (Log.DurableTo(entry))
            role.OnDurable();
    }

    public void AppliedTo(long index) => Log.AppliedTo(index);

    /// <summary>What was sent to this server lately may be lost: its connection broke, or is new.</summary>
    public void MessagesMayBeLost(ulong peer)
    {
        if (IsLeader && Configuration.OrdinalOf(peer) >= 0)
            leader.MessagesMayBeLost(peer);
    }

    /// <summary>This follower waits for <paramref name="index"/> to be committed, and is to be told at once when it is.</summary>
    public void AwaitCommit(ulong peer, long index)
    {
        if (IsLeader && Configuration.OrdinalOf(peer) >= 0)
            leader.AwaitCommit(peer, index);
    }

    /// <summary>After a batch of inputs: what is better sent once for all of them.</summary>
    public void EndBatch()
    {
        if (IsLeader)
            leader.EndBatch();
    }

    /// <summary>
    /// The next append that the window allows for this server, if any: Position is the entry before the first to send,
    /// up to the log's Last may follow, in records of at most <see cref="RaftOptions.AppendBytesMax"/> bytes together, or one
    /// larger; a probe at the log's end carries none.
    /// When it has been sent, <see cref="AppendSent"/> must be told.
    /// </summary>
    public bool TryNextAppend(ulong peer, out Message append)
    {
        append = default;
        return IsLeader && leader.TryNextAppend(peer, out append);
    }

    /// <param name="count">Entries that the append carried.</param>
    /// <param name="bytes">Their records' bytes.</param>
    public void AppendSent(ulong peer, int count, int bytes) => leader.AppendSent(peer, count, bytes);

    internal void Send(in Message message) => Ready.Messages.Add(message with { From = Id, Term = message.Term == 0 ? Term : message.Term });

    internal void FollowLeader(ulong leader)
    {
        // Election Safety (figure 3). Going on would destroy committed entries.
        Invariant.Hold(LeaderId == 0 || LeaderId == leader);
        LeaderId = leader;
        Timer.Reset();
    }

    internal void BecomeFollower(long term, ulong leader)
    {
        Invariant.Hold(term >= Term);
        // §5.1: a newer term is adopted; its vote is free, seeing it grants nothing.
        if (term > Term)
            HardState = new HardState(term, 0);
        LeaderId = leader;
        Timer.Redraw();
        role = follower;
        follower.Enter();
    }

    /// <summary>The election timeout has passed: first ask whether an election could be won (thesis §9.6).</summary>
    internal void Campaign()
    {
        LeaderId = 0;
        Timer.Redraw();
        if (!Log.Configurations.HasVoter(Id))
            return;
        role = candidate;
        candidate.Enter(preVote: true, isHandOver: false);
    }

    /// <summary>§5.2: increments its term and votes for itself.</summary>
    /// <param name="isHandOver">The leader has asked for it (thesis §3.10).</param>
    internal void BecomeCandidate(bool isHandOver = false)
    {
        HardState = new HardState(Term + 1, Id);
        LeaderId = 0;
        Timer.Redraw();
        role = candidate;
        candidate.Enter(preVote: false, isHandOver);
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

    /// <summary>Who was removed changes nothing here, its term least of all; nor does a stranger, unless it knows more than this server.</summary>
    private bool IsHeard(in Message message)
    {
        if (message.From == Id)
            return false;
        // Members first: whoever was removed is never a member again, and looking for it takes long.
        if (Configuration.OrdinalOf(message.From) >= 0)
            return true;
        if (Log.Configurations.Committed.Cluster.WasRemoved(message.From))
            return false;
        // Thesis §4.1: one that this log doesn't name yet may lead, or need this server's vote to. Its log then goes further.
        return message.Type switch
        {
            MessageType.Append or MessageType.Heartbeat => true,
            MessageType.PreVote or MessageType.Vote => message.Position > Log.Last,
            _ => message.From == LeaderId,
        };
    }

    /// <summary>A request for a vote, in any role: §5.2, §5.4.1, §6, thesis §9.6.</summary>
    private void Answer(in Message request)
    {
        bool isPreVote = request.Type == MessageType.PreVote;
        // §6: who has heard from a leader within the least election timeout neither grants nor adopts the term, so that a
        // server which was cut off can't depose a leader that works. A leader hears from itself: CheckQuorum bounds that.
        bool isHandOver = !isPreVote && request.Context == 1;
        if (request.Term > Term && LeaderId != 0 && (IsLeader || Timer.IsWithinMinimum) && !isHandOver)
            return;
        if (request.Term > Term && !isPreVote)
            BecomeFollower(request.Term, leader: 0);
        bool isFree = HardState.Vote == request.From || (HardState.Vote == 0 && LeaderId == 0);
        bool isGranted = request.Term >= Term
            && (isPreVote ? request.Term > Term : isFree)
            && Log.IsUpToDate(request.Position);
        if (isGranted && !isPreVote)
        {
            HardState = HardState with { Vote = request.From };
            Timer.Reset();
        }
        Send(new Message
        {
            Type = isPreVote ? MessageType.PreVoteResponse : MessageType.VoteResponse,
            To = request.From,
            Term = isGranted ? request.Term : Term,
            Rejected = !isGranted,
        });
    }

    /// <summary>
    /// §5.1: a request of an older term is rejected; the sender learns the newer one and steps down. It may have become that
    /// term's leader meanwhile: the rejection names no previous index, lest it pass for an answer to an append of this term.
    /// </summary>
    private void RejectStale(in Message message)
    {
        if (message.Type is MessageType.Append or MessageType.Heartbeat)
            Send(new Message { Type = MessageType.AppendResponse, To = message.From, Rejected = true });
    }
}
