using System.Buffers.Binary;
using System.Text;

namespace RaftFast.Protocol;

/// <summary>
/// The first bytes on a peer connection. After the handshake, frames flow only from the dialling side to the accepting
/// side; answers to a snapshot are the one exception. The dialling side sends, little-endian:
/// <code>
///  0  u64  magic "RaftFast"
///  8  u32  version
/// 12  u32  kind             ConnectionKind
/// 16  u64  cluster id
/// 24  u64  from
/// 32  u64  to               0 if the kind is Hint
/// 40  u64  directory        a random number, drawn when the sender's data directory was made
/// 48  u32  address length   bytes
/// 52       address          the URL in UTF-8 at which to dial the sender
///          announcement     Announcement, if there is room; then zeros
/// 319 u8   command version  KeyCommand.Version; 0, from older programs, means 1
/// 320 u32  promises         1 if the directory holds a term, a vote or entries; else 0
/// 324 u32  CRC-32C of bytes 0 to 324
/// </code>
/// and sends no frame before it has the answer:
/// <code>
///  0  u64  magic
///  8  u32  status   HandshakeStatus
/// 12  u32  CRC-32C of bytes 0 to 12
/// </code>
/// </summary>
public readonly record struct Handshake(ulong ClusterId, ulong From, ulong To, ulong Directory, PeerAddress Address)
{
    public ConnectionKind Kind { get; init; }

    /// <summary>True if the sender's directory holds promises: a term, a vote or entries.</summary>
    public bool HasPromised { get; init; }

    /// <summary>Version of the commands that the sender applies (<see cref="KeyCommand.Version"/>).</summary>
    public int CommandVersion { get; init; } = KeyCommand.Version;

    /// <summary>Announcement for operators; null if the sender has announced nothing.</summary>
    public Announcement? Announced { get; init; }

    public const int Size = 328;

    public const int AnswerSize = 16;

    public const uint Version = 1;

    private const int AddressStart = 52;
    private const int PromisesStart = ChecksumStart - sizeof(uint);
    private const int VersionStart = PromisesStart - 1;
    private const int ChecksumStart = Size - sizeof(uint);

    private static ReadOnlySpan<byte> Magic => "RaftFast"u8;

    public void Write(Span<byte> destination)
    {
        Span<byte> bytes = destination[..Size];
        bytes.Clear();
        Magic.CopyTo(bytes);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], Version);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[12..], (uint)Kind);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], ClusterId);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[24..], From);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[32..], To);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[40..], Directory);
        int addressLength = Encoding.UTF8.GetBytes(Address.ToString(), bytes[AddressStart..VersionStart]);
        BinaryPrimitives.WriteInt32LittleEndian(bytes[48..], addressLength);
        Announced?.Write(bytes[(AddressStart + addressLength)..VersionStart]);
        bytes[VersionStart] = (byte)CommandVersion;
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[PromisesStart..], HasPromised ? 1u : 0u);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[ChecksumStart..], Crc32C.Compute(bytes[..ChecksumStart]));
    }

    /// <summary>Decodes a handshake.</summary>
    /// <param name="version">
    /// The sender's version. If the version differs from <see cref="Version"/>, the result is Complete, but only the
    /// magic has been verified.
    /// </param>
    public static DecodeStatus TryRead(ReadOnlySpan<byte> source, out Handshake handshake, out uint version)
    {
        handshake = default;
        version = 0;
        int magicLength = Math.Min(source.Length, Magic.Length);
        if (!source[..magicLength].SequenceEqual(Magic[..magicLength]))
            return DecodeStatus.Invalid;
        if (source.Length < Size)
            return DecodeStatus.Incomplete;
        version = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        if (version != Version)
            return DecodeStatus.Complete;
        source = source[..Size];
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[ChecksumStart..]) != Crc32C.Compute(source[..ChecksumStart]))
            return DecodeStatus.Invalid;
        uint kind = BinaryPrimitives.ReadUInt32LittleEndian(source[12..]);
        if (kind > (uint)ConnectionKind.Hint)
            return DecodeStatus.Invalid;
        uint addressLength = BinaryPrimitives.ReadUInt32LittleEndian(source[48..]);
        if (addressLength > VersionStart - AddressStart)
            return DecodeStatus.Invalid;
        string url = Encoding.UTF8.GetString(source.Slice(AddressStart, (int)addressLength));
        if (PeerAddress.TryParse(url, out _) is not { } address)
            return DecodeStatus.Invalid;
        handshake = new(
            BinaryPrimitives.ReadUInt64LittleEndian(source[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[24..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[32..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[40..]),
            address)
        {
            Kind = (ConnectionKind)kind,
            Announced = Announcement.Read(source[(AddressStart + (int)addressLength)..VersionStart]),
            HasPromised = BinaryPrimitives.ReadUInt32LittleEndian(source[PromisesStart..]) == 1,
            CommandVersion = Math.Max(1, (int)source[VersionStart]),
        };
        return DecodeStatus.Complete;
    }

    public static void WriteAnswer(Span<byte> destination, HandshakeStatus status)
    {
        Magic.CopyTo(destination);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], (uint)status);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[12..], Crc32C.Compute(destination[..12]));
    }

    public static DecodeStatus TryReadAnswer(ReadOnlySpan<byte> source, out HandshakeStatus status)
    {
        status = default;
        int magicLength = Math.Min(source.Length, Magic.Length);
        if (!source[..magicLength].SequenceEqual(Magic[..magicLength]))
            return DecodeStatus.Invalid;
        if (source.Length < AnswerSize)
            return DecodeStatus.Incomplete;
        if (BinaryPrimitives.ReadUInt32LittleEndian(source[12..]) != Crc32C.Compute(source[..12]))
            return DecodeStatus.Invalid;
        status = (HandshakeStatus)BinaryPrimitives.ReadUInt32LittleEndian(source[8..]);
        return DecodeStatus.Complete;
    }
}

/// <summary>Traffic that a peer connection carries. The values are on the wire.</summary>
public enum ConnectionKind
{
    /// <summary>Frames, from the dialling side to the accepting side.</summary>
    Messages = 0,

    /// <summary>
    /// One snapshot, and the answers to it: a connection of its own, so that no message waits for bulk.
    /// </summary>
    Snapshot = 1,

    /// <summary>
    /// Nothing after the handshake, whose To is 0: the sender knows an address, and not which member is there. The
    /// receiver dials the sender back.
    /// </summary>
    Hint = 2,
}

/// <summary>The accepting side's answer to a <see cref="Handshake"/>. The values are on the wire.</summary>
public enum HandshakeStatus : uint
{
    Accepted = 0,
    UnsupportedVersion = 1,
    WrongCluster = 2,

    /// <summary>The handshake names another member than the one that the connection reached.</summary>
    WrongMember = 3,

    /// <summary>The sender's id is 0 or the receiver's own, or the receiver can't remember one more id.</summary>
    UnknownMember = 4,

    /// <summary>The sender was removed from the cluster, and must stop.</summary>
    Removed = 5,

    /// <summary>
    /// The receiver has met the sender's id with another data directory. That directory's promises are lost, so the
    /// sender may make none.
    /// </summary>
    DirectoryReplaced = 6,

    /// <summary>The receiver has just learnt from this handshake which cluster it joins: dial again.</summary>
    Joining = 7,
}
