using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>What the leader knows of one follower (Raft paper, figure 2: nextIndex and matchIndex), and what it may send it.</summary>
internal sealed class Progress(RaftOptions options)
{
    private readonly Inflights inflights = new(options.InflightAppendsMax, options.InflightBytesMax);

    private bool probeIsOut;
    private bool snapshotIsOut;
    private int ticksWithoutAcknowledgement;

    /// <summary>Of the appends in flight, those sent since the last tick.</summary>
    private int freshAppends;

    public ProgressState State { get; private set; }

    /// <summary>Highest index known to be durable on the follower and to match; below Next.</summary>
    public long Match { get; private set; }

    /// <summary>The next entry to send.</summary>
    public long Next { get; private set; }

    /// <summary>Whether anything has come from the follower since the last quorum check.</summary>
    public bool IsRecentlyActive { get; private set; }

    /// <summary>Since anything has come from the follower.</summary>
    public int TicksSinceHeard { get; private set; }

    /// <summary>Highest read round that the follower has confirmed.</summary>
    public long ReadRound { get; set; }

    /// <summary>It was in the majority whose answers confirmed the last round of reads, and not late.</summary>
    public bool HelpedToConfirm { get; set; }

    /// <summary>The follower waits to hear that this index is committed.</summary>
    public long CommitAwaited { get; set; }

    /// <summary>The highest commit index sent to the follower.</summary>
    public long CommitSent { get; set; }

    public void Reset(long lastIndex)
    {
        Match = 0;
        Next = lastIndex + 1;
        IsRecentlyActive = false;
        TicksSinceHeard = int.MaxValue;
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

    /// <summary>A new member is as good as heard from, until the next quorum check but one.</summary>
    public void PresumeActive() => IsRecentlyActive = true;

    /// <returns>Whether anything has come from the follower since the last call.</returns>
    public bool CheckActivity()
    {
        bool wasActive = IsRecentlyActive;
        IsRecentlyActive = false;
        return wasActive;
    }

    /// <summary>A snapshot is needed, and none is under way.</summary>
    public bool WantsSnapshot => State == ProgressState.Snapshot && !snapshotIsOut;

    public bool MaySend(long lastIndex) => State switch
    {
        ProgressState.Probe => !probeIsOut,
        ProgressState.Replicate => Next <= lastIndex && !inflights.IsFull && !AwaitsFreshAppend,
        _ => false,
    };

    /// <summary>The next append waits for one that was sent since the last tick to be acknowledged, or for the next tick.</summary>
    public bool AwaitsFreshAppend => freshAppends >= options.FreshAppendsMax;

    /// <summary>The entry before the next one to send is compacted.</summary>
    public void BecomeSnapshot()
    {
        BecomeProbe(Next);
        State = ProgressState.Snapshot;
        snapshotIsOut = false;
    }

    public void SnapshotStarted()
    {
        Invariant.Hold(WantsSnapshot);
        snapshotIsOut = true;
    }

    /// <summary>The transfer is over, well or not; what the follower has now, a probe will tell.</summary>
    public void SnapshotEnded(long next)
    {
        if (State == ProgressState.Snapshot)
            BecomeProbe(Math.Max(next, Match + 1));
    }

    public void Sent(int count, int bytes)
    {
        if (State == ProgressState.Probe)
        {
            probeIsOut = true;
            return;
        }
        Invariant.Hold(count > 0);
        Next += count;
        inflights.Add(Next - 1, bytes);
        freshAppends++;
        Invariant.Hold(Next > Match);
    }

    /// <summary>The follower holds the leader's log up to <paramref name="index"/> on stable storage.</summary>
    /// <returns>Whether Match advanced.</returns>
    public bool Acknowledged(long index)
    {
        bool advanced = index > Match;
        Match = Math.Max(Match, index);
        Next = Math.Max(Next, Match + 1);
        ticksWithoutAcknowledgement = 0;
        // A snapshot that is under way is not given up for what an append of before it did.
        if (State == ProgressState.Probe || (State == ProgressState.Snapshot && advanced && !snapshotIsOut))
        {
            State = ProgressState.Replicate;
            Next = Match + 1;
            inflights.Clear();
        }
        inflights.FreeTo(Match);
        freshAppends = Math.Min(freshAppends, inflights.Count);
        return advanced;
    }

    /// <summary>The follower's log has no match at <paramref name="rejected"/>; try behind <paramref name="hint"/> next.</summary>
    public void Rejected(long rejected, long hint)
    {
        // An answer to an append from before the last change of state says nothing new.
        bool isStale = State switch
        {
            ProgressState.Replicate => rejected <= Match,
            ProgressState.Probe => rejected != Next - 1,
            _ => true,
        };
        if (!isStale)
            BecomeProbe(Math.Max(Math.Min(rejected, hint + 1), Match + 1));
    }

    /// <summary>Messages may have been lost: start again behind what is acknowledged.</summary>
    public void MessagesMayBeLost()
    {
        CommitSent = 0;
        if (State != ProgressState.Snapshot)
            BecomeProbe(State == ProgressState.Probe ? Next : Match + 1);
    }

    /// <summary>A probe may have been lost: it is sent again once the follower is heard from.</summary>
    public void HeartbeatAnswered() => probeIsOut = false;

    /// <summary>Appends or their acknowledgements that have been out for so long may be lost, as when a follower had no room for them.</summary>
    public void Tick()
    {
        freshAppends = 0;
        if (TicksSinceHeard < int.MaxValue)
            TicksSinceHeard++;
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
        inflights.Clear();
        Invariant.Hold(Next > Match);
    }
}
