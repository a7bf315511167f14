using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>Parts of an open log: what a replay found on the disk, ready for appending.</summary>
internal sealed record WalParts
{
    /// <summary>Guards the queue and the places of batches, which the loop and the writer thread share.</summary>
    public required Lock Gate { get; init; }

    public required WalSegments Segments { get; init; }
    public required WalExtents Extents { get; init; }
    public required WalTerms Terms { get; init; }
    public required WalStarts Starts { get; init; }
    public required WalReader Reader { get; init; }
    public required IDisk Disk { get; init; }

    /// <summary>Hard state at the end of the log.</summary>
    public required HardState State { get; init; }

    /// <summary>Number of the last batch; 0 if the log has none.</summary>
    public required long LastBatch { get; init; }

    /// <summary>True if the last batch is a seal, or the log has no batch.</summary>
    public required bool IsSealed { get; init; }

    /// <summary>
    /// Replays the log, then cuts off a torn tail, or empties the log for a snapshot that it doesn't match (§7).
    /// </summary>
    /// <exception cref="StorageException">
    /// The log is damaged, or is another node's; entries between snapshot and log are missing; or the disk has no room.
    /// </exception>
    public static WalParts Open(
        IDisk disk, ulong clusterId, ulong memberId, WalOptions options, LogPosition snapshot, out WalRecovery recovery)
    {
        WalExtents extents = new();
        WalTerms terms = new();
        WalStarts starts = new();
        using WalReplay replay = new(disk, clusterId, memberId, extents, terms, starts)
        {
            BytesRead = options.BytesRead,
        };
        replay.Run(snapshot);
        LogPosition? reset = replay.MustReset(snapshot) ? snapshot : null;
        HardState state = HardStateOrder.Seen(replay.State, terms.Last);
        Lock gate = new();
        WalSegments segments = WalSegments.Open(disk, clusterId, memberId, options, replay, reset, gate);
        if (reset is not null)
        {
            terms.Reset(snapshot);
            extents.Clear();
            starts.Clear();
        }
        starts.Add(new WalStart(segments.Segment, segments.Start));
        recovery = new WalRecovery
        {
            HardState = HardStateOrder.Seen(state, snapshot),
            Base = terms.Base,
            Last = terms.Last,
            TermRuns = terms.ToArray(),
            Configurations = reset is null ? replay.Configurations : [],
            Bytes = replay.Bytes,
            Segments = Math.Max(1, replay.Segments),
            Batches = replay.Batches,
            WasReset = reset is not null,
            TornTail = replay.TornTail,
            CoveredDamage = replay.CoveredDamage,
        };
        return new WalParts
        {
            Gate = gate,
            Segments = segments,
            Extents = extents,
            Terms = terms,
            Starts = starts,
            Reader = new WalReader(disk, extents, options.RecordBytesMax),
            Disk = disk,
            State = reset is null ? replay.State : state,
            LastBatch = replay.Batches,
            IsSealed = replay.IsSealed,
        };
    }
}
