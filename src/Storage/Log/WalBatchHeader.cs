using System.Buffers.Binary;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Log;

/// <summary>
/// Header of a batch, before the batch's records, at a multiple of 4096 bytes in the segment. Little-endian:
/// <code>
///  0  u32  checksum           CRC-32C of bytes 4 to 64, starting from the segment's salt
///  4  u32  magic              "RFbt"
///  8  i64  batch number
/// 16  u32  offset             of this header in its segment
/// 20  u32  bytes              header and records, without the padding to 4096
/// 24  u32  record count       0 in a seal
/// 28  u32  records checksum   CRC-32C of the records' headers, in order; each covers its payload
/// 32  i64  last term          position of the last log entry at the end of the batch
/// 40  i64  last index
/// 48       zeros
/// </code>
/// Recovery looks for headers among all bytes after a damaged batch, so a client's bytes must never pass for a header.
/// Therefore the checksum is salted with the checksum of the segment's header, which depends on cluster, member, and
/// the log's position at the segment's beginning. A header is also valid only at the offset that it names.
/// </summary>
internal readonly record struct WalBatchHeader(
    long Number, int Offset, int Bytes, int Records, uint RecordsChecksum, LogPosition Last)
{
    public const int Size = 64;

    private const uint Magic = 0x74624652;

    /// <summary>Bytes of header, records and padding. The next batch begins after these bytes.</summary>
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
    /// <returns>False if there is no header at the offset, or a damaged one.</returns>
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
            new LogPosition(
                BinaryPrimitives.ReadInt64LittleEndian(source[32..]),
                BinaryPrimitives.ReadInt64LittleEndian(source[40..])));
        return header.Offset == offset && header.Records >= 0
            && header.Bytes >= Size && header.Bytes <= segment.Length - offset;
    }

    /// <summary>
    /// Bytes of header and records, from a header that was verified when the log was opened or written. Reading the
    /// records shows whether the header is still intact.
    /// </summary>
    public static int BytesOf(ReadOnlySpan<byte> header) => BinaryPrimitives.ReadInt32LittleEndian(header[20..]);
}
