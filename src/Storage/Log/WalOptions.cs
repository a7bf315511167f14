using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

public sealed record WalOptions
{
    /// <summary>Bytes of the largest record that will be appended.</summary>
    public int RecordBytesMax { get; init; } = Record.LengthOf(Record.PayloadBytesMax);

    /// <summary>
    /// Bytes of the present segment that <see cref="Wal.HasRoom"/> never gives away, for what can't be refused when the disk is full:
    /// hard states, no-ops and seals. 1 MiB is 256 batches of one block; an election takes two or three.
    /// </summary>
    public int ReserveBytes { get; init; } = 1 << 20;

    /// <summary>Bytes of a new segment's file.</summary>
    public long SegmentBytes { get; init; } = 16 << 20;

    /// <summary>
    /// Segments done with that stay until they become next ones, besides those of the last compaction, so that a log that is compacted at
    /// every few makes no new files.
    /// </summary>
    public int SpareSegments { get; init; } = 4;

    /// <summary>Bytes. The default takes all records of the largest append frame in one batch.</summary>
    public int BufferBytes { get; init; } = AlignedMemory.RoundUp(WalBatchHeader.Size + Frame.RecordsBytesMax);

    /// <summary>Buffers that are kept though all in them is durable and applied.</summary>
    public int CacheBuffers { get; init; } = 8;

    /// <summary>Buffers up to which entries stay that other members lack: to read them from the disk takes it from the log's writes.</summary>
    public int LagBuffers { get; init; } = 64;

    /// <summary>A batch never spans buffers, and one of the largest record alone must fit.</summary>
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
