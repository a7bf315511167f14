using System.Buffers.Binary;
using System.Text;

namespace RaftFast.Protocol;

/// <summary>
/// Encoding of a <see cref="ClusterConfiguration"/>: the payload of a record of type
/// <see cref="RecordType.Configuration"/>, little-endian:
/// <code>
///  0  u64  cluster id
///  8  u32  members
/// 12  u32  removed ids
/// 16  u8   1: the leader leaves this joint configuration by itself
/// 17       zeros
/// 24       members, each:
///            0  u64  id
///            8  u8   role             MemberRole
///            9  u8   1: outgoing voter
///           10  u16  address length   bytes
///           12  u32  zero
///           16       address, a URL in UTF-8, then zeros up to a multiple of 8
///          removed ids, u64 each
/// </code>
/// </summary>
public static class ConfigurationRecord
{
    private const int HeaderSize = 24;
    private const int MemberHeaderSize = 16;

    /// <summary>Encodes the configuration as a finished record at position (0, 0).</summary>
    public static byte[] Write(ClusterConfiguration configuration)
    {
        int payloadLength = HeaderSize + sizeof(ulong) * configuration.RemovedIds.Count;
        foreach (Member member in configuration.Members)
            payloadLength += LengthOf(member);
        byte[] record = new byte[Record.LengthOf(payloadLength)];
        Span<byte> rest = record.AsSpan(Record.HeaderSize);
        BinaryPrimitives.WriteUInt64LittleEndian(rest, configuration.ClusterId);
        BinaryPrimitives.WriteInt32LittleEndian(rest[8..], configuration.Members.Count);
        BinaryPrimitives.WriteInt32LittleEndian(rest[12..], configuration.RemovedIds.Count);
        rest[16] = configuration.LeavesJointItself ? (byte)1 : (byte)0;
        rest = rest[HeaderSize..];
        foreach (Member member in configuration.Members)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(rest, member.Id);
            rest[8] = (byte)member.Role;
            rest[9] = member.IsOutgoingVoter ? (byte)1 : (byte)0;
            int written = Encoding.UTF8.GetBytes(member.Address.ToString(), rest[MemberHeaderSize..]);
            BinaryPrimitives.WriteUInt16LittleEndian(rest[10..], (ushort)written);
            rest = rest[LengthOf(member)..];
        }
        foreach (ulong id in configuration.RemovedIds)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(rest, id);
            rest = rest[sizeof(ulong)..];
        }
        Record.Finish(record, RecordType.Configuration, payloadLength);
        return record;
    }

    /// <summary>Decodes a configuration. Returns null if the payload is not a valid configuration.</summary>
    /// <param name="payload">The payload of a verified record.</param>
    public static ClusterConfiguration? TryRead(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < HeaderSize || payload[16] > 1 || payload[17..HeaderSize].ContainsAnyExcept((byte)0))
            return null;
        ulong clusterId = BinaryPrimitives.ReadUInt64LittleEndian(payload);
        uint memberCount = BinaryPrimitives.ReadUInt32LittleEndian(payload[8..]);
        uint removedCount = BinaryPrimitives.ReadUInt32LittleEndian(payload[12..]);
        bool leavesJointItself = payload[16] == 1;
        if (memberCount > ClusterConfiguration.MembersMax || removedCount > ClusterConfiguration.RemovedMax)
            return null;
        payload = payload[HeaderSize..];
        Member[] members = new Member[memberCount];
        for (int i = 0; i < members.Length; i++)
        {
            if (TryReadMember(payload, out int length) is not { } member)
                return null;
            members[i] = member;
            payload = payload[length..];
        }
        if (payload.Length != removedCount * sizeof(ulong))
            return null;
        ulong[] removedIds = new ulong[removedCount];
        for (int i = 0; i < removedIds.Length; i++)
            removedIds[i] = BinaryPrimitives.ReadUInt64LittleEndian(payload[(i * sizeof(ulong))..]);
        return ClusterConfiguration.Flaw(members, removedIds) is null
            ? new ClusterConfiguration(clusterId, members, removedIds, leavesJointItself)
            : null;
    }

    private static Member? TryReadMember(ReadOnlySpan<byte> source, out int length)
    {
        length = 0;
        if (source.Length < MemberHeaderSize || source[8] > (byte)MemberRole.Learner || source[9] > 1)
            return null;
        int addressLength = BinaryPrimitives.ReadUInt16LittleEndian(source[10..]);
        length = RoundUp(MemberHeaderSize + addressLength);
        if (source.Length < length || source[12..MemberHeaderSize].ContainsAnyExcept((byte)0))
            return null;
        string url = Encoding.UTF8.GetString(source.Slice(MemberHeaderSize, addressLength));
        return PeerAddress.TryParse(url, out _) is { } address
            ? new Member(
                BinaryPrimitives.ReadUInt64LittleEndian(source), address, (MemberRole)source[8],
                IsOutgoingVoter: source[9] == 1)
            : null;
    }

    private static int LengthOf(Member member) =>
        RoundUp(MemberHeaderSize + Encoding.UTF8.GetByteCount(member.Address.ToString()));

    private static int RoundUp(int length) => (length + 7) & ~7;
}
