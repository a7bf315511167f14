using System.Buffers.Binary;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// Stands before the records of a batch, at a multiple of 4096 bytes in its segment. Little-endian:
/// <code>
///  0  u32  checksum           CRC-32C, begun with the segment's salt, of bytes 4 to 64
///  4  u32  magic              "RFbt"
///  8  i64  batch number
/// 16  u32  offset             of this header in its segment
/// 20  u32  bytes              header and records, without the padding to 4096
/// 24  u32  record count       0: a seal
/// 28  u32  records checksum   CRC-32C of the records' headers, in order; they carry their payloads' checksums
/// 32  i64  last term          position of the last log entry at this point
/// 40  i64  last index
/// 48       zeros
/// </code>
/// Recovery looks for headers among whatever stands behind a damaged batch, so a client's bytes must not pass for one. The salt is the
/// checksum of the segment's header, which depends on cluster, member, and where the log stood when the segment began; and a header
/// counts only at the offset that it names.
/// </summary>
internal readonly record struct WalBatchHeader(long Number, int Offset, int Bytes, int Records, uint RecordsChecksum, LogPosition Last)
{
    public const int Size = 64;

    private const uint Magic = 0x74624652;

    /// <summary>Header, records and padding: where the next batch may begin.</summary>
    public int BytesOnDisk => AlignedMemory.RoundUp(Bytes);

    public void Write(Span<byte> destination, uint salt)
    {
        Span<byte> header = destination[..Size];
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], Magic);
        BinaryPrimitives.WriteInt64LittleEndian(header[8..], Number);
        BinaryPrimitives.WriteInt32LittleEndian(header[16..], Offset);
        BinaryPrimitives.WriteInt32LittleEndian(header[20..], Bytes);
        BinaryPrimitives.WriteInt32LittleEndian(header[24..], Records);
        BinaryPrimitives.WriteUInt32LittleEndian(header[28..], RecordsChecksum);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], Last.Term);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], Last.Index);
        BinaryPrimitives.WriteUInt32LittleEndian(header, Crc32C.Append(salt, header[4..]));
    }

    /// <param name="segment">The whole segment.</param>
    /// <returns>False if no header stands there, or a damaged one.</returns>
    public static bool TryRead(ReadOnlySpan<byte> segment, int offset, uint salt, out WalBatchHeader header)
    {
        header = default;
        if (segment.Length - offset < Size)
            return false;
        ReadOnlySpan<byte> source = segment.Slice(offset, Size);
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[4..]) != Magic)
            return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source) != Crc32C.Append(salt, source[4..]))
            return false;
        header = new WalBatchHeader(
            BinaryPrimitives.ReadInt64LittleEndian(source[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[16..]),
            BytesOf(source),
            BinaryPrimitives.ReadInt32LittleEndian(source[24..]),
            BinaryPrimitives.ReadUInt32LittleEndian(source[28..]),
            new LogPosition(BinaryPrimitives.ReadInt64LittleEndian(source[32..]), BinaryPrimitives.ReadInt64LittleEndian(source[40..])));
        return header.Offset == offset && header.Bytes >= Size && header.Bytes <= segment.Length - offset && header.Records >= 0;
    }

    /// <summary>The length in a header that was verified when the log was opened or written; the records behind it say if it still holds.</summary>
    public static int BytesOf(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadInt32LittleEndian(header[20..]);
}
