using System.Buffers.Binary;

namespace RaftFast.Protocol;

/// <summary>
/// A write of one key without condition, time to live and idempotency key: the payload of a record of type
/// <see cref="RecordType.Command"/>, little-endian:
/// <code>
/// 0  u8   kind         1
/// 1  u8   zero
/// 2  u16  key length   bytes, 1 to KeyBytesMax
/// 4  u32  zero
/// 8       key, then the value up to the end of the payload
/// </code>
/// </summary>
public readonly ref struct PutCommand(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
{
    public const int HeaderSize = 8;

    /// <summary>
    /// Maximum bytes of a key. A key is a request target, and RFC 9112 §3 recommends that a server supports request
    /// lines of 8,000 bytes.
    /// </summary>
    public const int KeyBytesMax = 8192;

    public const int ValueBytesMax = 1 << 20;

    private const byte Kind = 1;

    public ReadOnlySpan<byte> Key { get; } = key;

    public ReadOnlySpan<byte> Value { get; } = value;

    public static int PayloadLength(int keyLength, int valueLength) => HeaderSize + keyLength + valueLength;

    /// <summary>Writes the header and the key. The caller then writes the value.</summary>
    /// <returns>Offset of the value in <paramref name="payload"/>.</returns>
    public static int WriteKey(Span<byte> payload, ReadOnlySpan<byte> key)
    {
        Invariant.Hold(key.Length is > 0 and <= KeyBytesMax);
        payload[..HeaderSize].Clear();
        payload[0] = Kind;
        BinaryPrimitives.WriteUInt16LittleEndian(payload[2..], (ushort)key.Length);
        key.CopyTo(payload[HeaderSize..]);
        return HeaderSize + key.Length;
    }

    public static DecodeStatus TryRead(ReadOnlySpan<byte> payload, out PutCommand command)
    {
        command = default;
        if (payload.Length < HeaderSize)
            return DecodeStatus.Incomplete;
        int keyLength = BinaryPrimitives.ReadUInt16LittleEndian(payload[2..]);
        if (payload[0] != Kind || payload[1] != 0 || payload[4..HeaderSize].ContainsAnyExcept((byte)0))
            return DecodeStatus.Invalid;
        if (keyLength is 0 or > KeyBytesMax)
            return DecodeStatus.Invalid;
        if (payload.Length < HeaderSize + keyLength)
            return DecodeStatus.Incomplete;
        if (payload.Length > HeaderSize + keyLength + ValueBytesMax)
            return DecodeStatus.Invalid;
        command = new(payload.Slice(HeaderSize, keyLength), payload[(HeaderSize + keyLength)..]);
        return DecodeStatus.Complete;
    }
}
