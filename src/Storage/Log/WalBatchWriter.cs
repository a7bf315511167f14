using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// The writer thread's half of the log (<see cref="Wal.Writer"/>). Takes published batches in order and writes each
/// with one synchronous write, or through a ring. One write is in progress at a time, and recovery depends on that
/// (<see cref="WalJudge"/>). The writer thread shares the queue and the places of batches with the loop, under the
/// log's gate; everything else here is its own. With a ring, two threads take turns as the writer thread.
/// </summary>
public sealed class WalBatchWriter : IDisposable
{
    private readonly WalQueue queue;
    private readonly WalSegments segments;
    private readonly Lock gate;
    private readonly AlignedMemory sealImage = new(IDisk.Alignment);
    private long takenBatch;
    private long writtenBatch;
    private bool isSealed;

    internal WalBatchWriter(WalQueue queue, WalParts parts)
    {
        this.queue = queue;
        segments = parts.Segments;
        gate = parts.Gate;
        takenBatch = writtenBatch = parts.LastBatch;
        isSealed = parts.IsSealed;
    }

    /// <summary>
    /// Takes the next batch, gives it its place on the disk, and completes its image. Returns false if nothing is
    /// published, or if the loop is appending to the only batch.
    /// </summary>
    public bool TryTake(out WalBatch batch)
    {
        batch = default;
        WalPendingBatch pending;
        (long Segment, int Offset) place;
        lock (gate)
        {
            if (!queue.TryTake(out pending))
                return false;
            place = segments.Place(pending.BytesOnDisk, pending.Number, pending.Reset);
            segments.Passed(pending.Last, pending.State);
        }
        batch = MakeBatch(pending, place, pending.Buffer.Memory.Address + pending.Start);
        return true;
    }

    /// <summary>
    /// Takes an empty batch. Recovery can't tell a damaged last batch from a torn one; with a seal after the batch, it
    /// can. Returns false if the last batch is a seal, if the loop has appended more, or if the seal needs a segment
    /// that isn't prepared.
    /// </summary>
    public bool TryTakeSeal(out WalBatch batch)
    {
        batch = default;
        WalPendingBatch pending;
        (long Segment, int Offset) place;
        lock (gate)
        {
            if (isSealed || !queue.IsIdle || !segments.HasPlace(IDisk.Alignment))
                return false;
            pending = queue.TakeSeal();
            place = segments.Place(pending.BytesOnDisk, pending.Number, reset: null);
        }
        batch = MakeBatch(pending, place, sealImage.Address);
        return true;
    }

    /// <summary>Makes the file in which the batch taken last has its place, if the batch begins a segment.</summary>
    /// <returns>
    /// False if the directory has no room for the file's name. Nothing of the batch is written, so the call may be
    /// repeated.
    /// </returns>
    public bool TryOpen(in WalBatch batch) => segments.TryRollTo(batch.Segment);

    /// <summary>Writes the batch taken last. Blocks until the batch is durable.</summary>
    /// <exception cref="StorageException">
    /// The write failed. The log's state on the disk is unknown; the process stops.
    /// </exception>
    public void Write(in WalBatch batch)
    {
        Invariant.Hold(batch.Number == takenBatch);
        Invariant.Hold(batch.Number == writtenBatch + 1);
        segments.FileOf(batch.Segment).Write(batch.Offset, batch.Image);
        writtenBatch = batch.Number;
    }

    /// <summary>
    /// Begins to write the batch taken last through a ring, on the ring's owner. The batch is durable after <see
    /// cref="TryEnd"/>.
    /// </summary>
    /// <returns>
    /// False if the batch needs <see cref="Write"/>: its segment is new and its file must be made, or the ring takes
    /// nothing for now.
    /// </returns>
    public bool TryBegin(in WalBatch batch, DiskRing ring)
    {
        Invariant.Hold(batch.Number == takenBatch);
        Invariant.Hold(batch.Number == writtenBatch + 1);
        return segments.HasFileOf(batch.Segment)
            && ring.TryBegin(segments.FileOf(batch.Segment), batch.Offset, batch.Image);
    }

    /// <summary>Ends the write that was begun last, if it has ended.</summary>
    /// <returns>True if the batch is durable.</returns>
    /// <exception cref="StorageException">See <see cref="Write"/>.</exception>
    public bool TryEnd(in WalBatch batch, DiskRing ring)
    {
        Invariant.Hold(batch.Number == takenBatch);
        Invariant.Hold(batch.Number == writtenBatch + 1);
        if (!ring.TryEnd())
            return false;
        writtenBatch = batch.Number;
        return true;
    }

    public void Dispose() => sealImage.Dispose();

    /// <summary>
    /// Writes header and padding into the batch's image. The gate isn't needed: the next batch begins after the
    /// padding.
    /// </summary>
    private WalBatch MakeBatch(in WalPendingBatch pending, (long Segment, int Offset) place, nint address)
    {
        Invariant.Hold(takenBatch == writtenBatch);
        Invariant.Hold(pending.Number == takenBatch + 1);
        takenBatch = pending.Number;
        isSealed = pending.IsEmpty;
        WalBatch batch = new()
        {
            IsSeal = pending.IsEmpty,
            Number = pending.Number,
            Last = pending.Last,
            Entries = pending.Entries,
            Bytes = pending.BytesOnDisk,
            Resets = pending.Reset is not null,
            SegmentStart = segments.Start,
            Segment = place.Segment,
            Offset = place.Offset,
            Address = address,
        };
        WalBatchHeader header = new(
            pending.Number, place.Offset, pending.Bytes, pending.Records, pending.RecordsChecksum, pending.Last);
        header.Write(batch.Image, segments.Salt);
        batch.Image[pending.Bytes..].Clear();
        return batch;
    }
}

/// <summary>
/// Records that one sync makes durable: contiguous in memory, and written to one place of one file with one write.
/// </summary>
public readonly record struct WalBatch
{
    /// <summary>Consecutive over the life of the log, from 1.</summary>
    public long Number { get; internal init; }

    /// <summary>
    /// Last log entry at this point of the log. Once the batch is durable, the log is durable up to this entry.
    /// </summary>
    public LogPosition Last { get; internal init; }

    /// <summary>Log entries in the batch. 0 in a batch of hard states only, and in a seal.</summary>
    public int Entries { get; internal init; }

    /// <summary>Bytes on the disk, with header and padding.</summary>
    public int Bytes { get; internal init; }

    /// <summary>True if the log is emptied and restarts with this batch.</summary>
    internal bool Resets { get; init; }

    /// <summary>True for a seal: the writer had nothing to write for a while.</summary>
    internal bool IsSeal { get; init; }

    /// <summary>Last log entry before the batch's segment.</summary>
    internal LogPosition SegmentStart { get; init; }

    internal long Segment { get; init; }

    internal int Offset { get; init; }

    internal nint Address { get; init; }

    internal unsafe Span<byte> Image => new((void*)Address, Bytes);
}
