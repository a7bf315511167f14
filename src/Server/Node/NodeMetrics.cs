using RaftFast.Consensus;

namespace RaftFast.Server.Node;

/// <summary>
/// Counters and distributions of one member, owned by the loop: plain numbers that no other thread writes. Recording
/// allocates nothing.
/// </summary>
internal sealed class NodeMetrics
{
    private readonly RaftCore core;
    private readonly Func<long> clock;
    private readonly Histogram commit = Histogram.OfMicroseconds();
    private readonly Histogram apply = Histogram.OfMicroseconds();
    private readonly CommitLatency commitLatency;

    private long term;
    private long termLed;
    private ulong leader;
    private long appliedBefore;
    private long actsSince;

    /// <param name="clock">Microseconds; only differences mean anything.</param>
    public NodeMetrics(RaftCore core, Func<long> clock)
    {
        this.core = core;
        this.clock = clock;
        commitLatency = new CommitLatency(commit);
        term = core.Term;
    }

    /// <summary>Elections that this member began.</summary>
    public long Campaigns { get; private set; }

    /// <summary>Terms that this member has led.</summary>
    public long TermsLed { get; private set; }

    /// <summary>Times that a new leader became known.</summary>
    public long LeaderChanges { get; private set; }

    /// <summary>Entries that this process has applied.</summary>
    public long EntriesApplied { get; private set; }

    /// <summary>Time from the proposal of an entry here to the commitment of the entry.</summary>
    public HistogramCopy Commit => commit.Copy();

    /// <summary>Time from the batch that found an entry committed until the entry was applied.</summary>
    public HistogramCopy Apply => apply.Copy();

    /// <summary>The inputs of a batch are taken; the node acts on them now.</summary>
    public void BatchTaken()
    {
        if (core.Term != term || core.LeaderId != leader)
            CountElections();
        appliedBefore = core.Log.Applied;
        if (!core.IsLeader && core.Log.Applied == core.Log.Committed)
            return;
        actsSince = clock();
        if (core.IsLeader)
            commitLatency.Leads(core.Term, core.Log.Last.Index, core.Log.Committed, actsSince);
    }

    /// <summary>The node has applied what is committed, or as much as one batch may.</summary>
    public void BatchApplied()
    {
        long count = core.Log.Applied - appliedBefore;
        if (count == 0)
            return;
        EntriesApplied += count;
        apply.Record(clock() - actsSince, count);
    }

    private void CountElections()
    {
        // A candidate votes for itself (§5.2).
        if (core.Term != term && core.HardState.Vote == core.Id)
            Campaigns++;
        if (core.IsLeader && core.Term != termLed)
        {
            termLed = core.Term;
            TermsLed++;
        }
        if (core.LeaderId != 0 && (core.LeaderId != leader || core.Term != term))
            LeaderChanges++;
        (term, leader) = (core.Term, core.LeaderId);
    }
}
