using System.Buffers.Binary;
using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// Encoding of a store's entry in a snapshot. Little-endian, a multiple of 8 bytes long:
/// <code>
///  0  u32  value length   bytes, up to PutCommand.ValueBytesMax
///  4  u16  key length     bytes, 1 to PutCommand.KeyBytesMax
///  6  u16  zero
///  8  i64  index          of the entry's last write, at least 1
/// 16       key, value, then zeros up to a multiple of 8
/// </code>
/// </summary>
public readonly ref struct SnapshotEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long index)
{
    public const int HeaderSize = 16;

    public const int Alignment = 8;

    public const int BytesMax = HeaderSize + PutCommand.KeyBytesMax + PutCommand.ValueBytesMax;

    public ReadOnlySpan<byte> Key { get; } = key;

    public ReadOnlySpan<byte> Value { get; } = value;

    /// <summary>Index of the entry's last write.</summary>
    public long Index { get; } = index;

    public static int LengthOf(int keyLength, int valueLength) =>
        (HeaderSize + keyLength + valueLength + Alignment - 1) & -Alignment;

    /// <returns>Bytes written: <see cref="LengthOf"/>.</returns>
    public int Write(Span<byte> destination)
    {
        Invariant.Hold(Key.Length is > 0 and <= PutCommand.KeyBytesMax);
        Invariant.Hold(Value.Length <= PutCommand.ValueBytesMax);
        Invariant.Hold(Index > 0);
        int length = LengthOf(Key.Length, Value.Length);
        BinaryPrimitives.WriteInt32LittleEndian(destination, Value.Length);
        BinaryPrimitives.WriteInt32LittleEndian(destination[4..], Key.Length);
        BinaryPrimitives.WriteInt64LittleEndian(destination[8..], Index);
        Key.CopyTo(destination[HeaderSize..]);
        Value.CopyTo(destination[(HeaderSize + Key.Length)..]);
        destination[(HeaderSize + Key.Length + Value.Length)..length].Clear();
        return length;
    }

    /// <summary>Reads the entry at the start of <paramref name="source"/>.</summary>
    /// <param name="entry">The entry, whose spans lie in <paramref name="source"/>.</param>
    /// <param name="length">Bytes that the entry occupies.</param>
    public static DecodeStatus TryRead(ReadOnlySpan<byte> source, out SnapshotEntry entry, out int length)
    {
        entry = default;
        length = 0;
        if (source.Length < HeaderSize)
            return DecodeStatus.Incomplete;
        uint valueLength = BinaryPrimitives.ReadUInt32LittleEndian(source);
        uint keyLength = BinaryPrimitives.ReadUInt32LittleEndian(source[4..]);
        long index = BinaryPrimitives.ReadInt64LittleEndian(source[8..]);
        if (valueLength > PutCommand.ValueBytesMax || keyLength is 0 or > PutCommand.KeyBytesMax)
            return DecodeStatus.Invalid;
        if (index is < 1 or > LogPosition.Greatest)
            return DecodeStatus.Invalid;
        int padded = LengthOf((int)keyLength, (int)valueLength);
        if (source.Length < padded)
            return DecodeStatus.Incomplete;
        int end = HeaderSize + (int)keyLength + (int)valueLength;
        if (source[end..padded].ContainsAnyExcept((byte)0))
            return DecodeStatus.Invalid;
        entry = new(source.Slice(HeaderSize, (int)keyLength), source[(HeaderSize + (int)keyLength)..end], index);
        length = padded;
        return DecodeStatus.Complete;
    }
}
