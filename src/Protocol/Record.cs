using System.Buffers.Binary;

namespace RaftFast.Protocol;

/// <summary>
/// One log entry as it is on every disk and every wire, bit for bit. Little-endian, a multiple of 8 bytes long:
/// <code>
///  0  u32  header checksum   CRC-32C of bytes 4 to 32
///  4  u32  payload length    bytes, without the padding
///  8  u32  payload checksum  CRC-32C of the payload, without the padding
/// 12  u8   type              RecordType
/// 13  u24  zero
/// 16  i64  term
/// 24  i64  index
/// 32       payload, then zeros up to a multiple of 8
/// </code>
/// The payload's checksum is computed once, by whoever received the command (<see cref="Seal"/>); the leader's
/// <see cref="Stamp"/> adds the position and covers the header. A record on its way to the leader has position (0, 0).
/// </summary>
public static class Record
{
    public const int HeaderSize = 32;

    public const int Alignment = 8;

    /// <summary>The largest command: a key and a value at their limits.</summary>
    public const int PayloadBytesMax = PutCommand.HeaderSize + PutCommand.KeyBytesMax + PutCommand.ValueBytesMax;

    public static int LengthOf(int payloadLength) => HeaderSize + ((payloadLength + Alignment - 1) & ~(Alignment - 1));

    /// <summary>Completes a record whose payload stands at <see cref="HeaderSize"/>: all but its position.</summary>
    /// <param name="record">Exactly <see cref="LengthOf"/>(<paramref name="payloadLength"/>) bytes.</param>
    public static void Finish(Span<byte> record, RecordType type, int payloadLength)
    {
        Invariant.Hold(record.Length == LengthOf(payloadLength));
        record[(HeaderSize + payloadLength)..].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(record[4..], (uint)payloadLength);
        BinaryPrimitives.WriteUInt32LittleEndian(record[8..], Crc32C.Compute(record.Slice(HeaderSize, payloadLength)));
        BinaryPrimitives.WriteUInt32LittleEndian(record[12..], (uint)type);
        Stamp(record, default);
    }

    /// <summary>Gives a sealed record its place in the log.</summary>
    public static void Stamp(Span<byte> record, LogPosition position)
    {
        BinaryPrimitives.WriteInt64LittleEndian(record[16..], position.Term);
        BinaryPrimitives.WriteInt64LittleEndian(record[24..], position.Index);
        BinaryPrimitives.WriteUInt32LittleEndian(record, Crc32C.Compute(record[4..HeaderSize]));
    }

    /// <summary>
    /// Reads the header at the start of <paramref name="source"/> and verifies it. Complete says nothing of the payload,
    /// which may not be there yet: see <see cref="TryRead"/>.
    /// </summary>
    public static DecodeStatus TryReadHeader(ReadOnlySpan<byte> source, out RecordHeader header)
    {
        header = default;
        if (source.Length < HeaderSize)
            return DecodeStatus.Incomplete;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source) != Crc32C.Compute(source[4..HeaderSize]))
            return DecodeStatus.Invalid;
        uint payloadLength = BinaryPrimitives.ReadUInt32LittleEndian(source[4..]);
        uint type = BinaryPrimitives.ReadUInt32LittleEndian(source[12..]);
        LogPosition position = new(
            BinaryPrimitives.ReadInt64LittleEndian(source[16..]), BinaryPrimitives.ReadInt64LittleEndian(source[24..]));
        if (payloadLength > PayloadBytesMax)
            return DecodeStatus.Invalid;
        if (type is < (uint)RecordType.Command or > (uint)RecordType.MembershipChange)
            return DecodeStatus.Invalid;
        if (position.Term is < 0 or > LogPosition.Greatest || position.Index is < 0 or > LogPosition.Greatest)
            return DecodeStatus.Invalid;
        header = new((RecordType)type, position, (int)payloadLength, BinaryPrimitives.ReadUInt32LittleEndian(source[8..]));
        return DecodeStatus.Complete;
    }

    /// <summary>Reads the record at the start of <paramref name="source"/> and verifies all of it.</summary>
    public static DecodeStatus TryRead(ReadOnlySpan<byte> source, out RecordHeader header)
    {
        DecodeStatus status = TryReadHeader(source, out header);
        if (status != DecodeStatus.Complete)
            return status;
        if (source.Length < header.RecordLength)
            return DecodeStatus.Incomplete;
        ReadOnlySpan<byte> payload = Payload(source, header);
        if (Crc32C.Compute(payload) != header.PayloadChecksum)
            return DecodeStatus.Invalid;
        if (source[(HeaderSize + header.PayloadLength)..header.RecordLength].ContainsAnyExcept((byte)0))
            return DecodeStatus.Invalid;
        return DecodeStatus.Complete;
    }

    public static ReadOnlySpan<byte> Payload(ReadOnlySpan<byte> record, in RecordHeader header) =>
        record.Slice(HeaderSize, header.PayloadLength);
}
