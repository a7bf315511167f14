using RaftFast.Protocol;

namespace RaftFast.Storage.Log;

/// <summary>What the log held when it was opened.</summary>
public sealed class WalRecovery
{
    public required HardState HardState { get; init; }

    /// <summary>Of the entry before the first that the log holds; (0, 0) while it holds all. A snapshot covers it.</summary>
    public required LogPosition Base { get; init; }

    /// <summary><see cref="Base"/> when the log is empty.</summary>
    public required LogPosition Last { get; init; }

    /// <summary>
    /// The first position of each extent of entries of one term, in order, from the one after <see cref="Base"/> on: with <see cref="Last"/>,
    /// all terms of the log.
    /// </summary>
    public required IReadOnlyList<LogPosition> TermRuns { get; init; }

    /// <summary>The configurations in the log and their indexes, in order.</summary>
    public required IReadOnlyList<(long Index, ClusterConfiguration Configuration)> Configurations { get; init; }

    /// <summary>Of all batches, on the disk.</summary>
    public required long Bytes { get; init; }

    public required int Segments { get; init; }

    /// <summary>Also the number of the last one.</summary>
    public required long Batches { get; init; }

    /// <summary>The log had no entry that matches the snapshot's last, so it was emptied and goes on behind that one (§7).</summary>
    public required bool WasReset { get; init; }

    /// <summary>For a person: where an unfinished last batch was cut off. Nothing of it had been acknowledged.</summary>
    public required string? TornTail { get; init; }
}
