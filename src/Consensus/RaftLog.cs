using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// The log as the core knows it: positions, never bytes. Always Base ≤ Applied ≤ Committed ≤ Last, and Durable ≤ Last.
/// </summary>
public sealed class RaftLog
{
    private readonly TermRuns terms;

    /// <param name="recovered">The log on stable storage.</param>
    /// <param name="applied">
    /// Last entry of the snapshot that the state machine was loaded from; 0: none. Committed, and not before the log's
    /// base.
    /// </param>
    public RaftLog(TermRuns recovered, ConfigurationHistory configurations, long applied = 0)
    {
        Invariant.Hold(recovered.Base.Index <= applied);
        Invariant.Hold(applied <= recovered.LastIndex);
        terms = recovered;
        Configurations = configurations;
        Durable = recovered.LastIndex;
        Committed = Applied = applied;
        configurations.CommitTo(applied);
    }

    /// <summary>The last entry that is compacted (§7): covered by a snapshot, and no longer in the log.</summary>
    public LogPosition Base => terms.Base;

    public ConfigurationHistory Configurations { get; }

    public LogPosition Last => new(terms.LastTerm, terms.LastIndex);

    /// <summary>
    /// Highest index on this server's stable storage, ≤ Last. Later entries are never acknowledged (thesis §3.8).
    /// </summary>
    public long Durable { get; private set; }

    /// <summary>Highest index known to be committed (Raft paper, figure 2: commitIndex). Never decreases.</summary>
    public long Committed { get; private set; }

    /// <summary>Highest index applied to the state machine (figure 2: lastApplied). Never decreases.</summary>
    public long Applied { get; private set; }

    public long TermAt(long index) => terms.TermAt(index);

    /// <summary>
    /// §5.3: true if the log holds this entry, or a snapshot covers it. All entries up to the base are committed, and
    /// thus in every leader's log. Position (0, 0) is in every log.
    /// </summary>
    public bool Matches(LogPosition entry) =>
        entry.Index <= terms.LastIndex && (entry.Index < terms.Base.Index || terms.TermAt(entry.Index) == entry.Term);

    /// <summary>
    /// §5.4.1: true if a log that ends with <paramref name="other"/> is at least as up-to-date as this log.
    /// </summary>
    public bool IsUpToDate(LogPosition other) => other >= Last;

    /// <inheritdoc cref="TermRuns.LastNotAbove"/>
    public LogPosition LastNotAbove(long index, long term) => terms.LastNotAbove(index, term);

    public void Append(LogPosition entry) => terms.Append(entry);

    /// <summary>
    /// §5.3: removes a conflicting entry and all that follow it. Committed entries are never removed.
    /// </summary>
    public void TruncateFrom(long index)
    {
        Invariant.Hold(index > Committed);
        terms.TruncateFrom(index);
        Configurations.TruncateFrom(index);
        Durable = Math.Min(Durable, index - 1);
    }

    /// <summary>
    /// A sync has covered the log up to <paramref name="entry"/>. The call does nothing if that entry has been
    /// overwritten since.
    /// </summary>
    /// <returns>True if Durable has advanced.</returns>
    public bool DurableTo(LogPosition entry)
    {
        if (entry.Index <= Durable || !Matches(entry))
            return false;
        Durable = entry.Index;
        return true;
    }

    public void CommitTo(long index)
    {
        if (index <= Committed)
            return;
        Invariant.Hold(index <= terms.LastIndex);
        Committed = index;
        Configurations.CommitTo(index);
    }

    /// <summary>
    /// Removes the entries up to <paramref name="index"/>: they are applied, and a snapshot covers them.
    /// </summary>
    public void CompactTo(long index)
    {
        Invariant.Hold(index <= Applied);
        terms.CompactTo(index);
    }

    /// <summary>§7: replaces the whole log by a snapshot.</summary>
    public void Install(LogPosition snapshot, long configurationIndex, ClusterConfiguration configuration)
    {
        Invariant.Hold(snapshot.Index > Committed);
        terms.Reset(snapshot);
        Configurations.Install(configurationIndex, configuration);
        Durable = Committed = Applied = snapshot.Index;
    }

    public void AppliedTo(long index)
    {
        Invariant.Hold(index >= Applied);
        Invariant.Hold(index <= Committed);
        Applied = index;
    }
}
