using System.Buffers.Binary;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Snapshots;

/// <summary>
/// Totals of a snapshot's chunks so far. The totals of all chunks are the file's footer: a block of 4096 bytes after
/// the last chunk. A file without a footer is not complete. Little-endian:
/// <code>
///  0  u32  checksum         CRC-32C of bytes 4 to 40, continued from the salt
///  4  u32  magic            "RFse"
///  8  i32  chunks
/// 12  u32  chunks checksum  CRC-32C of the chunks' checksums, in order
/// 16  i64  entries
/// 24  i64  payload bytes
/// 32       zeros
/// </code>
/// </summary>
internal readonly record struct SnapshotFooter(int Chunks, long Entries, long PayloadBytes, uint ChunksChecksum)
{
    public const int BytesOnDisk = IDisk.Alignment;

    private const int Size = 40;

    private const uint Magic = 0x65734652;

    /// <summary>The totals with one more chunk.</summary>
    public SnapshotFooter Add(in SnapshotChunk chunk, ReadOnlySpan<byte> image)
    {
        Invariant.Hold(chunk.Sequence == Chunks + 1);
        return new(
            Chunks + 1,
            Entries + chunk.Entries,
            PayloadBytes + chunk.PayloadLength,
            Crc32C.Append(ChunksChecksum, image[..4]));
    }

    public void Write(Span<byte> destination, uint salt)
    {
        Span<byte> image = destination[..BytesOnDisk];
        image.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(image[4..], Magic);
        BinaryPrimitives.WriteInt32LittleEndian(image[8..], Chunks);
        BinaryPrimitives.WriteUInt32LittleEndian(image[12..], ChunksChecksum);
        BinaryPrimitives.WriteInt64LittleEndian(image[16..], Entries);
        BinaryPrimitives.WriteInt64LittleEndian(image[24..], PayloadBytes);
        BinaryPrimitives.WriteUInt32LittleEndian(image, Crc32C.Append(salt, image[4..Size]));
    }

    public static DecodeStatus TryRead(ReadOnlySpan<byte> source, uint salt, out SnapshotFooter footer)
    {
        footer = default;
        if (source.Length < BytesOnDisk)
            return DecodeStatus.Incomplete;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[4..]) != Magic)
            return DecodeStatus.Invalid;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source) != Crc32C.Append(salt, source[4..Size]))
            return DecodeStatus.Invalid;
        if (source[32..BytesOnDisk].ContainsAnyExcept((byte)0))
            return DecodeStatus.Invalid;
        footer = new(
            BinaryPrimitives.ReadInt32LittleEndian(source[8..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[24..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[12..]));
        return DecodeStatus.Complete;
    }
}
