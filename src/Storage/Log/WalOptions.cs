using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>Sizes and bounds of a log.</summary>
public sealed record WalOptions
{
    /// <summary>Maximum bytes of a record.</summary>
    public int RecordBytesMax { get; init; } = Record.LengthOf(Record.PayloadBytesMax);

    /// <summary>
    /// Bytes of the current segment that <see cref="Wal.HasRoom"/> keeps free for records that can't be refused when
    /// the disk is full: hard states, no-ops, configurations and seals. 1 MiB is 256 batches of one block, and an
    /// election takes two or three batches.
    /// </summary>
    public int ReserveBytes { get; init; } = 1 << 20;

    /// <summary>Bytes of a new segment's file.</summary>
    public long SegmentBytes { get; init; } = 16 << 20;

    /// <summary>
    /// Unneeded segments kept for reuse, in addition to the segments that the last compaction freed. So a log that is
    /// compacted every few segments makes no new files.
    /// </summary>
    public int SpareSegments { get; init; } = 4;

    /// <summary>Bytes of a buffer. By default one batch takes all records of the largest append frame.</summary>
    public int BufferBytes { get; init; } = AlignedMemory.RoundUp(WalBatchHeader.Size + Frame.RecordsBytesMax);

    /// <summary>Buffers that stay in memory after all their entries are durable and applied.</summary>
    public int CacheBuffers { get; init; } = 8;

    /// <summary>
    /// Maximum buffers that hold entries which other members need. Reading older entries from the disk competes with
    /// the log's writes.
    /// </summary>
    public int LagBuffers { get; init; } = 64;

    /// <summary>
    /// Called at a start before the first segment and after each one, with the bytes read so far and the bytes of all
    /// segments.
    /// </summary>
    public Action<long, long>? BytesRead { get; init; }

    /// <summary>
    /// Minimum of <see cref="BufferBytes"/>: a batch never spans buffers, and a batch of the largest record must fit.
    /// </summary>
    public int BufferBytesMin => AlignedMemory.RoundUp(WalBatchHeader.Size + RecordBytesMax);

    internal void Check()
    {
        Invariant.Hold(RecordBytesMax is > 0 and <= Frame.RecordsBytesMax);
        Invariant.Hold(ReserveBytes > 0);
        Invariant.Hold(BufferBytes >= BufferBytesMin);
        Invariant.Hold(BufferBytes % IDisk.Alignment == 0);
        Invariant.Hold(SegmentBytes >= WalSegmentHeader.Size + BufferBytes + ReserveBytes);
        Invariant.Hold(SegmentBytes <= WalSegment.BytesMax);
        Invariant.Hold(SegmentBytes % IDisk.Alignment == 0);
        Invariant.Hold(CacheBuffers > 0);
        Invariant.Hold(LagBuffers >= CacheBuffers);
        Invariant.Hold(SpareSegments >= 0);
    }
}
