using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// The leader's knowledge of one follower (Raft paper, figure 2: nextIndex and matchIndex), and the rules for what to
/// send it next.
/// <para>
/// The leader keeps no append for a retransmission. An append, its acknowledgement or its rejection may be lost. Each
/// of the following then makes the leader send the entries again, by a probe that finds where the logs match:
/// </para>
/// <list type="number">
/// <item><description>
/// A probe is lost: the leader repeats the probe when the follower answers a heartbeat
/// (<see cref="HeartbeatAnswered"/>).
/// </description></item>
/// <item><description>
/// An append is lost, and a later one arrives: the follower rejects the later append, which doesn't match its log. The
/// leader probes after the conflict hint (<see cref="Rejected"/>).
/// </description></item>
/// <item><description>
/// The last append is lost or dropped, or acknowledgements are lost: after an election timeout without an
/// acknowledgement, the leader probes after Match (<see cref="Tick"/>). A follower drops an append if the append
/// conflicts with entries that are still being written. A lost acknowledgement alone costs nothing, because the next
/// one covers it.
/// </description></item>
/// <item><description>
/// A follower drops an append because its log has no room: once there is room, the follower rejects what follows its
/// log (<see cref="RaftCore.AskAgain"/>), and the leader probes.
/// </description></item>
/// <item><description>
/// The connection to the follower breaks or is made anew: the leader probes at once, without waiting for any timeout
/// (<see cref="MessagesMayBeLost"/>).
/// </description></item>
/// <item><description>
/// A snapshot transfer ends, well or not: the leader probes after the snapshot, or after Match
/// (<see cref="SnapshotEnded"/>).
/// </description></item>
/// <item><description>
/// The leader changes: the new leader probes each follower from the end of its own log (<see cref="Reset"/>).
/// </description></item>
/// </list>
/// </summary>
internal sealed class Progress(RaftOptions options)
{
    /// <summary>
    /// Minimum ticks of a distant follower's round trip. A short round trip may contain one tick by chance.
    /// </summary>
    private const int DistantTicks = 2;

    private readonly Inflights inflights = new(options.InflightAppendsMax, options.InflightBytesMax);

    private bool probeIsOut;
    private bool snapshotIsOut;
    private int ticksWithoutAcknowledgement;

    /// <summary>Ticks of the last round trip that was measured.</summary>
    private int roundTripTicks;

    /// <summary>Last entry of the append whose round trip is measured, or 0; and the ticks since it left.</summary>
    private long measuredIndex;
    private int measuredTicks;

    /// <summary>
    /// Number of appends in flight that were sent since the last tick and ended with the log's last entry. The other
    /// appends left entries to be sent, so nothing is gained by a wait for further entries.
    /// </summary>
    private int freshAppends;

    public ProgressState State { get; private set; }

    /// <summary>Highest index at which the follower's log is known to be durable and to match. Below Next.</summary>
    public long Match { get; private set; }

    /// <summary>Index of the next entry to send.</summary>
    public long Next { get; private set; }

    /// <summary>
    /// True from the end of a snapshot's transfer until the follower has caught up with the log or needs another
    /// snapshot. False for a new leader.
    /// </summary>
    public bool IsCatchingUp { get; private set; }

    /// <summary>Index after which the log has all entries that the follower may still need from the leader.</summary>
    public long NeededAfter => State == ProgressState.Probe ? Next - 1 : Match;

    /// <summary>True if any message has come from the follower since the last quorum check.</summary>
    public bool IsRecentlyActive { get; private set; }

    /// <summary>Ticks since the last message from the follower.</summary>
    public int TicksSinceHeard { get; private set; }

    /// <summary>
    /// Ticks since the follower acknowledged an entry, or had none left to acknowledge. 0 at first: a leader that has
    /// just been elected doesn't know yet if the follower writes.
    /// </summary>
    public int TicksSinceWritten { get; private set; }

    /// <summary>True if the follower said in its last answer that its log has no room.</summary>
    public bool LacksRoom { get; set; }

    /// <summary>Highest read round that the follower has confirmed.</summary>
    public long ReadRound { get; set; }

    /// <summary>True if the follower was in the quorum whose answers confirmed the last read round.</summary>
    public bool HelpedToConfirm { get; set; }

    /// <summary>Highest index for whose commitment the follower waits.</summary>
    public long CommitAwaited { get; private set; }

    /// <summary>Highest commit index sent to the follower.</summary>
    public long CommitSent { get; set; }

    /// <summary>True if the follower needs a snapshot and none is on its way.</summary>
    public bool WantsSnapshot => State == ProgressState.Snapshot && !snapshotIsOut;

    /// <summary>
    /// True while the next append has to wait for an acknowledgement: the window is full, or an append of this tick
    /// has ended with the log's last entry. In the second case an append to a distant follower does not wait, because
    /// no acknowledgement comes within the tick, unless half of the window is used: the rest lasts until then.
    /// </summary>
    public bool AwaitsAcknowledgement =>
        inflights.IsFull || (freshAppends >= options.FreshAppendsMax && !(IsDistant && HasHalfTheWindow));

    /// <summary>True if acknowledgements take two ticks or more.</summary>
    public bool IsDistant => roundTripTicks >= DistantTicks;

    private bool HasHalfTheWindow => 2 * inflights.Count < options.InflightAppendsMax;

    public void Reset(long lastIndex)
    {
        Match = 0;
        Next = lastIndex + 1;
        IsCatchingUp = false;
        roundTripTicks = 0;
        IsRecentlyActive = false;
        TicksSinceHeard = int.MaxValue;
        TicksSinceWritten = 0;
        LacksRoom = false;
        ReadRound = 0;
        HelpedToConfirm = false;
        CommitAwaited = 0;
        CommitSent = 0;
        BecomeProbe(Next);
    }

    public void Heard()
    {
        IsRecentlyActive = true;
        TicksSinceHeard = 0;
    }

    /// <summary>Counts a new member as active, so that it has until the second quorum check to answer.</summary>
    public void PresumeActive() => IsRecentlyActive = true;

    /// <returns>True if any message has come from the follower since the last call.</returns>
    public bool CheckActivity()
    {
        bool wasActive = IsRecentlyActive;
        IsRecentlyActive = false;
        return wasActive;
    }

    public void AwaitCommit(long index) => CommitAwaited = Math.Max(CommitAwaited, index);

    public bool MaySend(long lastIndex) => State switch
    {
        ProgressState.Probe => !probeIsOut,
        ProgressState.Replicate => Next <= lastIndex && !AwaitsAcknowledgement,
        _ => false,
    };

    /// <summary>Stops appends until a snapshot has been sent: the entry before Next is compacted.</summary>
    public void BecomeSnapshot()
    {
        BecomeProbe(Next);
        State = ProgressState.Snapshot;
        snapshotIsOut = false;
        IsCatchingUp = false;
    }

    public void SnapshotStarted()
    {
        Invariant.Hold(WantsSnapshot);
        snapshotIsOut = true;
    }

    /// <summary>
    /// Probes again after a snapshot transfer, successful or not. The answer tells what the follower has now.
    /// </summary>
    /// <param name="next">Index after the snapshot's last entry; 1 if the transfer failed.</param>
    public void SnapshotEnded(long next)
    {
        if (State != ProgressState.Snapshot)
            return;
        BecomeProbe(Math.Max(next, Match + 1));
        IsCatchingUp = true;
    }

    public void CaughtUp() => IsCatchingUp = false;

    /// <param name="isLast">True if the append ends with the log's last entry.</param>
    public void Sent(int count, int bytes, bool isLast)
    {
        if (State == ProgressState.Probe)
        {
            probeIsOut = true;
            return;
        }
        Invariant.Hold(count > 0);
        Next += count;
        inflights.Add(Next - 1, bytes);
        if (isLast)
            freshAppends++;
        if (measuredIndex == 0)
            (measuredIndex, measuredTicks) = (Next - 1, 0);
        Invariant.Hold(Next > Match);
    }

    /// <summary>The follower holds the leader's log up to <paramref name="index"/> on stable storage.</summary>
    /// <returns>True if Match has advanced.</returns>
    public bool Acknowledged(long index)
    {
        bool advanced = index > Match;
        Match = Math.Max(Match, index);
        Next = Math.Max(Next, Match + 1);
        ticksWithoutAcknowledgement = 0;
        if (advanced)
            TicksSinceWritten = 0;
        // An acknowledgement of an append from before the snapshot does not end a transfer that is under way.
        if (State == ProgressState.Probe || (State == ProgressState.Snapshot && advanced && !snapshotIsOut))
        {
            State = ProgressState.Replicate;
            Next = Match + 1;
            inflights.Clear();
        }
        inflights.FreeTo(Match);
        if (measuredIndex != 0 && Match >= measuredIndex)
            (roundTripTicks, measuredIndex) = (measuredTicks, 0);
        freshAppends = Math.Min(freshAppends, inflights.Count);
        return advanced;
    }

    /// <summary>
    /// Probes after the conflict hint: the follower's log has no match at <paramref name="rejected"/>, or the follower
    /// asks again for the entries after it (<see cref="RaftCore.AskAgain"/>).
    /// </summary>
    /// <param name="hint">Highest index at which the logs may match.</param>
    public void Rejected(long rejected, long hint)
    {
        // An answer to an append from before the last change of state tells nothing new.
        bool isStale = State switch
        {
            ProgressState.Replicate => rejected < Match,
            ProgressState.Probe => rejected != Next - 1,
            _ => true,
        };
        if (!isStale)
            BecomeProbe(Math.Max(Math.Min(rejected, hint + 1), Match + 1));
    }

    /// <summary>Probes after Match, because any message in flight may be lost.</summary>
    public void MessagesMayBeLost()
    {
        CommitSent = 0;
        if (State != ProgressState.Snapshot)
            BecomeProbe(State == ProgressState.Probe ? Next : Match + 1);
    }

    /// <summary>
    /// Tells if the follower writes the log now, and would acknowledge an entry. Unknown while the leader has probed
    /// for less than an election timeout: after an election, or after a connection broke.
    /// </summary>
    /// <param name="lastIndex">Last index of the leader's log.</param>
    public QuorumAnswer Writes(long lastIndex)
    {
        bool hasWritten = TicksSinceWritten <= options.ElectionTicks;
        bool isHeard = TicksSinceHeard <= options.ElectionTicks;
        return State switch
        {
            ProgressState.Replicate when isHeard && (hasWritten || Match == lastIndex) => QuorumAnswer.Granted,
            ProgressState.Probe when hasWritten => QuorumAnswer.Unknown,
            _ => QuorumAnswer.Rejected,
        };
    }

    /// <summary>Lets a probe be sent again: the follower is there, but the probe or its answer may be lost.</summary>
    public void HeartbeatAnswered() => probeIsOut = false;

    /// <summary>Counts the appends in flight as lost after an election timeout without an acknowledgement.</summary>
    /// <param name="lastIndex">Last index of the leader's log.</param>
    public void Tick(long lastIndex)
    {
        freshAppends = 0;
        measuredTicks++;
        if (TicksSinceHeard < int.MaxValue)
            TicksSinceHeard++;
        if (State == ProgressState.Replicate && Match == lastIndex)
            TicksSinceWritten = 0;
        else if (TicksSinceWritten < int.MaxValue)
            TicksSinceWritten++;
        if (State != ProgressState.Replicate || inflights.IsEmpty)
            ticksWithoutAcknowledgement = 0;
        else if (++ticksWithoutAcknowledgement >= options.ElectionTicks)
            MessagesMayBeLost();
    }

    private void BecomeProbe(long next)
    {
        State = ProgressState.Probe;
        Next = next;
        probeIsOut = false;
        ticksWithoutAcknowledgement = 0;
        freshAppends = 0;
        measuredIndex = 0;
        inflights.Clear();
        Invariant.Hold(Next > Match);
    }
}

/// <summary>Mode of replication to one follower.</summary>
public enum ProgressState
{
    /// <summary>
    /// The place where the logs match is unknown: the leader sends one append and waits for its answer.
    /// </summary>
    Probe,

    /// <summary>The place is known: the leader pipelines appends, as far as the window allows.</summary>
    Replicate,

    /// <summary>
    /// The follower needs a compacted entry: the leader sends a snapshot on a connection of its own, and no appends
    /// (§7).
    /// </summary>
    Snapshot,
}
