using System.Buffers.Binary;
using System.Text;

namespace RaftFast.Protocol;

/// <summary>
/// What somebody wants changed, on its way to the leader, as the payload of a record of type
/// <see cref="RecordType.MembershipChange"/>, little-endian:
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

    /// <summary>A whole, sealed record at position (0, 0).</summary>
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

    /// <param name="payload">Of a verified record.</param>
    /// <returns>Null when this is no such thing.</returns>
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
        return PeerAddress.TryParse(Encoding.UTF8.GetString(url), out _) is { } address ? new MembershipChange(kind, id, address) : null;
    }
}
