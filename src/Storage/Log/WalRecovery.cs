using RaftFast.Protocol;

namespace RaftFast.Storage.Log;

/// <summary>Contents of the log at its opening.</summary>
public sealed class WalRecovery
{
    public required HardState HardState { get; init; }

    /// <summary>
    /// Position of the entry before the log's first entry; (0, 0) while the log has every entry. A snapshot covers this
    /// entry.
    /// </summary>
    public required LogPosition Base { get; init; }

    /// <summary>Position of the last entry; <see cref="Base"/> if the log is empty.</summary>
    public required LogPosition Last { get; init; }

    /// <summary>
    /// First position of each run of entries of one term, in order, from the entry after <see cref="Base"/> on. These
    /// runs and <see cref="Last"/> give all terms of the log.
    /// </summary>
    public required IReadOnlyList<LogPosition> TermRuns { get; init; }

    /// <summary>Configurations in the log with their indexes, in order.</summary>
    public required IReadOnlyList<(long Index, ClusterConfiguration Configuration)> Configurations { get; init; }

    /// <summary>Bytes of all batches on the disk.</summary>
    public required long Bytes { get; init; }

    public required int Segments { get; init; }

    /// <summary>Batches since the log began; also the number of the last batch.</summary>
    public required long Batches { get; init; }

    /// <summary>
    /// True if the log had no entry matching the snapshot's last entry. The log was emptied and continues after the
    /// snapshot (§7).
    /// </summary>
    public required bool WasReset { get; init; }

    /// <summary>
    /// Text for an operator: the place at which an unfinished last batch was cut off. No entry of the batch had been
    /// acknowledged. Null if nothing was cut off.
    /// </summary>
    public required string? TornTail { get; init; }

    /// <summary>
    /// Text for an operator: damage in segments before the log's first. A snapshot covers all entries of those
    /// segments. Null if no such segment is damaged.
    /// </summary>
    public required string? CoveredDamage { get; init; }
}
