using System.Buffers.Binary;

namespace RaftFast.Protocol;

/// <summary>
/// A message on the wire: a header of one cache line, followed by either records (<see cref="Record"/>) back to back
/// or a part of a snapshot. Little-endian:
/// <code>
///  0  u32  checksum         CRC-32C of bytes 4–63; records carry their own
///  4  u32  records length   bytes after the header, at most RecordsBytesMax
///  8  u8   type             MessageType
///  9  u8   rejected         0 or 1
/// 10  u16  zero
/// 12  u32  count            records that follow, or as MessageType says
/// 16  i64  term
/// 24  i64  position's term
/// 32  i64  position's index
/// 40  i64  commit
/// 48  i64  context
/// 56  i64  zero
/// </code>
/// </summary>
public static class Frame
{
    public const int HeaderSize = 64;

    /// <summary>
    /// Maximum bytes of records in one frame: one record of the largest size fits, or many smaller ones.
    /// </summary>
    public const int RecordsBytesMax = 2 * 1024 * 1024 - HeaderSize;

    public static void WriteHeader(Span<byte> destination, in Message message, int recordsLength)
    {
        Invariant.Hold(recordsLength is >= 0 and <= RecordsBytesMax);
        Span<byte> header = destination[..HeaderSize];
        header.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)recordsLength);
        header[8] = (byte)message.Type;
        header[9] = message.Rejected ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32LittleEndian(header[12..], message.Count);
        BinaryPrimitives.WriteInt64LittleEndian(header[16..], message.Term);
        BinaryPrimitives.WriteInt64LittleEndian(header[24..], message.Position.Term);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], message.Position.Index);
        BinaryPrimitives.WriteInt64LittleEndian(header[40..], message.Commit);
        BinaryPrimitives.WriteInt64LittleEndian(header[48..], message.Context);
        BinaryPrimitives.WriteUInt32LittleEndian(header, Crc32C.Compute(header[4..]));
    }

    /// <summary>
    /// Reads and verifies the header at the start of <paramref name="source"/>. The length in it is bounded, so that
    /// the caller can allocate room for the records.
    /// </summary>
    /// <param name="message">The message, with From and To still 0.</param>
    /// <param name="recordsLength">Bytes of records that follow the header.</param>
    public static DecodeStatus TryReadHeader(ReadOnlySpan<byte> source, out Message message, out int recordsLength)
    {
        message = default;
        recordsLength = 0;
        if (source.Length < HeaderSize)
            return DecodeStatus.Incomplete;
        ReadOnlySpan<byte> header = source[..HeaderSize];
        if (BinaryPrimitives.ReadUInt32LittleEndian(header) != Crc32C.Compute(header[4..]))
            return DecodeStatus.Invalid;
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        byte type = header[8];
        if (length > RecordsBytesMax || length % Record.Alignment != 0)
            return DecodeStatus.Invalid;
        if (type is < (byte)MessageType.PreVote or > (byte)MessageType.StateHash || header[9] > 1)
            return DecodeStatus.Invalid;
        Message decoded = new()
        {
            Type = (MessageType)type,
            Rejected = header[9] == 1,
            Count = BinaryPrimitives.ReadInt32LittleEndian(header[12..]),
            Term = BinaryPrimitives.ReadInt64LittleEndian(header[16..]),
            Position = new(
                BinaryPrimitives.ReadInt64LittleEndian(header[24..]),
                BinaryPrimitives.ReadInt64LittleEndian(header[32..])),
            Commit = BinaryPrimitives.ReadInt64LittleEndian(header[40..]),
            Context = BinaryPrimitives.ReadInt64LittleEndian(header[48..]),
        };
        // Any number is a digest.
        bool hasDigest = decoded.Type == MessageType.StateHash;
        if (!hasDigest && (decoded.Commit is < 0 or > LogPosition.Greatest || decoded.Context < 0))
            return DecodeStatus.Invalid;
        if (decoded.Count < 0 || (hasDigest && (decoded.Count > 1 || decoded.Position.Index < 1)))
            return DecodeStatus.Invalid;
        // Terms begin at 1. Requests that a member forwards to the leader, and digests of states, speak for no term,
        // and carry 0.
        bool isTermless = hasDigest || decoded.Type is MessageType.Forward or MessageType.ChangeMembers;
        if (decoded.Term is < 0 or > LogPosition.Greatest || decoded.Term == 0 != isTermless)
            return DecodeStatus.Invalid;
        if (header[10..12].ContainsAnyExcept((byte)0) || header[56..].ContainsAnyExcept((byte)0))
            return DecodeStatus.Invalid;
        if (decoded.Position.Term is < 0 or > LogPosition.Greatest)
            return DecodeStatus.Invalid;
        if (decoded.Position.Index is < 0 or > LogPosition.Greatest)
            return DecodeStatus.Invalid;
        bool isNumbered = decoded.Type is >= MessageType.ReadIndex and <= MessageType.ForwardResponse
            or MessageType.ChangeMembers or MessageType.ChangeMembersResponse or MessageType.InstallSnapshotResponse;
        if (isNumbered && decoded.Context == 0)
            return DecodeStatus.Invalid;
        bool carriesRecords = CarriesRecords(decoded.Type);
        if ((decoded.Type is MessageType.ChangeMembers or MessageType.InstallSnapshot) && decoded.Count != 1)
            return DecodeStatus.Invalid;
        if (carriesRecords ? (decoded.Count == 0) != (length == 0) : length != 0)
            return DecodeStatus.Invalid;
        message = decoded;
        recordsLength = (int)length;
        return DecodeStatus.Complete;
    }

    /// <summary>
    /// Verifies the records of a frame: each is intact, their number is the header's count, and no bytes follow the
    /// last. In an Append, indices are consecutive, and terms neither decrease (§5.3) nor exceed the message's term.
    /// A configuration must decode, and a forwarded record must be a client's command
    /// (<see cref="CommandHead.MayBeClients"/>). An invalid record in the log would stop every member at every start.
    /// Returns false for a part of a snapshot.
    /// </summary>
    public static bool RecordsAreValid(in Message message, ReadOnlySpan<byte> records)
    {
        if (message.Type == MessageType.InstallSnapshot)
            return false;
        LogPosition previous = message.Position;
        for (int i = 0; i < message.Count && CarriesRecords(message.Type); i++)
        {
            if (Record.TryRead(records, out RecordHeader header) != DecodeStatus.Complete)
                return false;
            bool belongs = message.Type switch
            {
                MessageType.Append => MayFollow(previous, header.Position, message.Term) && IsEntry(records, header),
                MessageType.Forward => header.Position == default && IsCommand(records, header),
                _ => header.Position == default && IsMembershipChange(records, header),
            };
            if (!belongs)
                return false;
            previous = header.Position;
            records = records[header.RecordLength..];
        }
        return records.IsEmpty;
    }

    private static bool CarriesRecords(MessageType type) =>
        type is MessageType.Append or MessageType.Forward or MessageType.ChangeMembers or MessageType.InstallSnapshot;

    private static bool MayFollow(LogPosition previous, LogPosition position, long term) =>
        position.Index == previous.Index + 1 && position.Term >= previous.Term && position.Term <= term;

    private static bool IsEntry(ReadOnlySpan<byte> record, in RecordHeader header) => header.Type switch
    {
        RecordType.Command or RecordType.NoOp => true,
        RecordType.Configuration => ConfigurationRecord.TryRead(Record.Payload(record, header)) is not null,
        _ => false,
    };

    private static bool IsCommand(ReadOnlySpan<byte> record, in RecordHeader header) =>
        header.Type == RecordType.Command
        && CommandHead.TryRead(Record.Payload(record, header), out CommandHead command) == DecodeStatus.Complete
        && command.MayBeClients;

    private static bool IsMembershipChange(ReadOnlySpan<byte> record, in RecordHeader header) =>
        header.Type == RecordType.MembershipChange
        && MembershipChange.TryRead(Record.Payload(record, header)) is not null;
}
