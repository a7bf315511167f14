using System.Buffers.Binary;
using System.Text;

namespace RaftFast.Protocol;

/// <summary>
/// An operator's request to change the members, on its way to the leader. The request is the payload of a record of
/// type <see cref="RecordType.MembershipChange"/>, little-endian:
/// <code>
///  0  u8   kind      MembershipChangeKind
///  1       zeros
///  8  u64  id
/// 16       address   a URL in UTF-8; empty for Remove
/// </code>
/// </summary>
public sealed record MembershipChange(MembershipChangeKind Kind, ulong Id, PeerAddress? Address = null)
{
    private const int HeaderSize = 16;

    /// <summary>Encodes the request as a finished record at position (0, 0).</summary>
    public byte[] ToRecord()
    {
        byte[] url = Encoding.UTF8.GetBytes(Address?.ToString() ?? "");
        byte[] record = new byte[Record.LengthOf(HeaderSize + url.Length)];
        Span<byte> payload = record.AsSpan(Record.HeaderSize);
        payload[0] = (byte)Kind;
        BinaryPrimitives.WriteUInt64LittleEndian(payload[8..], Id);
        url.CopyTo(payload[HeaderSize..]);
        Record.Finish(record, RecordType.MembershipChange, HeaderSize + url.Length);
        return record;
    }

    /// <summary>Decodes a request. Returns null if the payload is not a valid one.</summary>
    /// <param name="payload">The payload of a verified record.</param>
    public static MembershipChange? TryRead(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < HeaderSize || payload[1..8].ContainsAnyExcept((byte)0))
            return null;
        ulong id = BinaryPrimitives.ReadUInt64LittleEndian(payload[8..]);
        ReadOnlySpan<byte> url = payload[HeaderSize..];
        MembershipChangeKind kind = (MembershipChangeKind)payload[0];
        if (id == 0 || kind is < MembershipChangeKind.Add or > MembershipChangeKind.Move)
            return null;
        if (kind == MembershipChangeKind.Remove)
            return url.IsEmpty ? new MembershipChange(kind, id) : null;
        PeerAddress? address = PeerAddress.TryParse(Encoding.UTF8.GetString(url), out _);
        return address is null ? null : new MembershipChange(kind, id, address);
    }
}

/// <summary>Kind of a <see cref="MembershipChange"/>. The values are on the wire.</summary>
public enum MembershipChangeKind : byte
{
    /// <summary>Adds a learner, which the leader promotes to voter once the learner has caught up.</summary>
    Add = 1,

    Remove = 2,

    /// <summary>
    /// Gives a member a new address. The request comes from that member, or from a member to which it announced the
    /// address.
    /// </summary>
    Move = 3,
}

/// <summary>Reason why a <see cref="MembershipChange"/> was refused. The values are on the wire.</summary>
public enum ChangeRefusal
{
    None = 0,

    /// <summary>
    /// The member is not the leader, can't change anything yet, or is handing over leadership: ask again.
    /// </summary>
    NotNow = 1,

    /// <summary>Another change is under way: ask again.</summary>
    ChangeUnderWay = 2,

    /// <summary>A member with another address has this id.</summary>
    IdInUse = 3,

    IdWasRemoved = 4,

    AddressInUse = 5,

    /// <summary>The change would leave no voter.</summary>
    LastVoter = 6,

    TooManyMembers = 7,

    DiskFull = 8,

    /// <summary>After the removal of a voter, no majority of the voters would write.</summary>
    VotersMissing = 9,
}
