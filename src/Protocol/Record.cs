using System.Buffers.Binary;

namespace RaftFast.Protocol;

/// <summary>
/// A log entry, or another value of a <see cref="RecordType"/>, with the same bytes on every disk and every wire.
/// Little-endian; the length is a multiple of 8 bytes:
/// <code>
///  0  u32  header checksum   CRC-32C of bytes 4–31
///  4  u32  payload length    bytes, without the padding
///  8  u32  payload checksum  CRC-32C of the payload, without the padding
/// 12  u8   type              RecordType
/// 13  u24  zero
/// 16  i64  term
/// 24  i64  index
/// 32       payload, then zeros up to a multiple of 8
/// </code>
/// The node that receives a command from a client computes the payload's checksum, once (<see cref="Finish"/>).
/// The leader then adds the position and the header's checksum (<see cref="Stamp"/>). A record on its way to the leader
/// has position (0, 0).
/// </summary>
public static class Record
{
    public const int HeaderSize = 32;

    public const int Alignment = 8;

    /// <summary>Payload bytes of the largest command: conditions, token, key and value at their limits.</summary>
    public const int PayloadBytesMax = KeyCommand.HeadBytesMax + PutCommand.KeyBytesMax + PutCommand.ValueBytesMax;

    public static int LengthOf(int payloadLength) => HeaderSize + ((payloadLength + Alignment - 1) & ~(Alignment - 1));

    /// <summary>
    /// Completes a record whose payload is already at <see cref="HeaderSize"/>. The position becomes (0, 0);
    /// <see cref="Stamp"/> sets the real one.
    /// </summary>
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

    /// <summary>Gives a finished record its position in the log.</summary>
    public static void Stamp(Span<byte> record, LogPosition position)
    {
        BinaryPrimitives.WriteInt64LittleEndian(record[16..], position.Term);
        BinaryPrimitives.WriteInt64LittleEndian(record[24..], position.Index);
        BinaryPrimitives.WriteUInt32LittleEndian(record, Crc32C.Compute(record[4..HeaderSize]));
    }

    /// <summary>
    /// Reads and verifies the header at the start of <paramref name="source"/>. If the result is Complete, the payload
    /// may still be incomplete or damaged: see <see cref="TryRead"/>.
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
        uint payloadChecksum = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        header = new((RecordType)type, position, (int)payloadLength, payloadChecksum);
        return DecodeStatus.Complete;
    }

    /// <summary>
    /// Reads and verifies the whole record at the start of <paramref name="source"/>: header, payload and padding.
    /// </summary>
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

    public static ReadOnlySpan<byte> Payload(ReadOnlySpan<byte> record, scoped in RecordHeader header) =>
        record.Slice(HeaderSize, header.PayloadLength);
}

/// <summary>The decoded header of a record (layout: <see cref="Record"/>).</summary>
/// <param name="PayloadLength">Bytes of payload, without the padding.</param>
public readonly record struct RecordHeader(
    RecordType Type, LogPosition Position, int PayloadLength, uint PayloadChecksum)
{
    /// <summary>Bytes of the whole record: header, payload and padding.</summary>
    public int RecordLength => Record.LengthOf(PayloadLength);
}

/// <summary>Type of a record's payload. The values are on disk and on the wire.</summary>
public enum RecordType : byte
{
    /// <summary>A change of the state machine (<see cref="KeyCommand"/>).</summary>
    Command = 1,

    /// <summary>The empty entry with which a leader opens its term (§8 of the Raft paper).</summary>
    NoOp = 2,

    /// <summary>Term and vote (<see cref="HardStateRecord"/>). Not a log entry: only in the write-ahead log.</summary>
    HardState = 3,

    /// <summary>The cluster's members from this entry on (<see cref="ConfigurationRecord"/>).</summary>
    Configuration = 4,

    /// <summary>
    /// A request to change the members (<see cref="Protocol.MembershipChange"/>). Not a log entry: only on the wire.
    /// </summary>
    MembershipChange = 5,
}
