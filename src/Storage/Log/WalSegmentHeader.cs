using System.Buffers.Binary;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// The first block of a segment. Little-endian:
/// <code>
///  0  u32  checksum         CRC-32C of bytes 4 to 4096
///  4  u32  magic            "RFwl"
///  8  u32  format version   1
/// 12  u32  flags            1: the log restarts here, without older segments; 2: old bytes may follow the last batch
/// 16  u64  cluster id
/// 24  u64  member id
/// 32  i64  segment number   from 1
/// 40  i64  segment bytes    of the whole file
/// 48  i64  first batch      number of the segment's first batch
/// 56  i64  last term        position of the last log entry before the segment
/// 64  i64  last index
/// 72  i64  hard-state term  hard state before the segment
/// 80  u64  hard-state vote
/// 88       zeros
/// </code>
/// Each segment holds the log's state before it, so older segments can be deleted once a snapshot covers them. The file
/// may have been an older segment before, and keeps that segment's bytes after the new header. The old batches have
/// another salt, and numbers below this segment's first batch.
/// </summary>
internal readonly record struct WalSegmentHeader(
    ulong ClusterId, ulong MemberId, long Segment, long SegmentBytes, long FirstBatch, LogPosition Last,
    HardState State, bool Resets, bool HoldsOldBytes)
{
    public const int Size = IDisk.Alignment;

    public const uint Version = 1;

    private const uint Magic = 0x6C774652;
    private const uint ResetsFlag = 1;
    private const uint OldBytesFlag = 2;

    /// <returns>Checksum of the header, which salts the checksums of the batches.</returns>
    public uint Write(Span<byte> destination)
    {
        Span<byte> header = destination[..Size];
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], Version);
        uint flags = (Resets ? ResetsFlag : 0) | (HoldsOldBytes ? OldBytesFlag : 0);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], flags);
        BinaryPrimitives.WriteUInt64LittleEndian(header[16..], ClusterId);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], MemberId);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], Segment);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], SegmentBytes);
        BinaryPrimitives.WriteInt64LittleEndian(header[48..], FirstBatch);
        BinaryPrimitives.WriteInt64LittleEndian(header[56..], Last.Term);
        BinaryPrimitives.WriteInt64LittleEndian(header[64..], Last.Index);
        BinaryPrimitives.WriteInt64LittleEndian(header[72..], State.Term);
        BinaryPrimitives.WriteUInt64LittleEndian(header[80..], State.Vote);
        uint checksum = Crc32C.Compute(header[4..]);
        BinaryPrimitives.WriteUInt32LittleEndian(header, checksum);
        return checksum;
    }

    /// <param name="version">Format version of an intact header of any version; 0 without an intact header.</param>
    /// <returns>True if the block is an intact header of this version.</returns>
    public static bool TryRead(ReadOnlySpan<byte> source, out WalSegmentHeader header, out uint salt, out uint version)
    {
        source = source[..Size];
        header = default;
        version = 0;
        salt = BinaryPrimitives.ReadUInt32LittleEndian(source);
        if (salt != Crc32C.Compute(source[4..]) || BinaryPrimitives.ReadUInt32LittleEndian(source[4..]) != Magic)
            return false;
        version = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        if (version != Version)
            return false;
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(source[12..]);
        header = new WalSegmentHeader(
            BinaryPrimitives.ReadUInt64LittleEndian(source[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[32..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[40..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[48..]),
            new LogPosition(
                BinaryPrimitives.ReadInt64LittleEndian(source[56..]),
                BinaryPrimitives.ReadInt64LittleEndian(source[64..])),
            new HardState(
                BinaryPrimitives.ReadInt64LittleEndian(source[72..]),
                BinaryPrimitives.ReadUInt64LittleEndian(source[80..])),
            (flags & ResetsFlag) != 0,
            (flags & OldBytesFlag) != 0);
        return true;
    }
}
