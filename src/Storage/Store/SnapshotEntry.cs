using System.Buffers.Binary;
using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// Encoding of a store's entry in a snapshot. Little-endian, a multiple of 8 bytes long:
/// <code>
///  0  u32  value length   bytes, up to PutCommand.ValueBytesMax
///  4  u16  key length     bytes, 1 to PutCommand.KeyBytesMax
///  6  u16  1: the entry has a time; else 0
///  8  i64  index          of the entry's last write, at least 1
/// 16  i64  time           log time in milliseconds, if the entry has one
///          key, value, then zeros up to a multiple of 8
/// </code>
/// </summary>
/// <param name="time">Log time in milliseconds; null if the entry has none.</param>
public readonly ref struct SnapshotEntry(
    ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long index, long? time = null)
{
    public const int HeaderSize = 16;

    public const int Alignment = 8;

    private const int TimeFlag = 1 << 16;

    public const int BytesMax = HeaderSize + sizeof(long) + PutCommand.KeyBytesMax + PutCommand.ValueBytesMax;

    public ReadOnlySpan<byte> Key { get; } = key;

    public ReadOnlySpan<byte> Value { get; } = value;

    /// <summary>Index of the entry's last write.</summary>
    public long Index { get; } = index;

    /// <summary>Log time in milliseconds; null if the entry has none.</summary>
    public long? Time { get; } = time;

    public static int LengthOf(int keyLength, int valueLength, bool hasTime = false) =>
        (HeadBytes(hasTime) + keyLength + valueLength + Alignment - 1) & -Alignment;

    /// <returns>Bytes written: <see cref="LengthOf"/>.</returns>
    public int Write(Span<byte> destination)
    {
        Invariant.Hold(Key.Length is > 0 and <= PutCommand.KeyBytesMax);
        Invariant.Hold(Value.Length <= PutCommand.ValueBytesMax);
        Invariant.Hold(Index > 0);
        int start = HeadBytes(Time is not null);
        int length = LengthOf(Key.Length, Value.Length, Time is not null);
        BinaryPrimitives.WriteInt32LittleEndian(destination, Value.Length);
        BinaryPrimitives.WriteInt32LittleEndian(destination[4..], Key.Length | (Time is null ? 0 : TimeFlag));
        BinaryPrimitives.WriteInt64LittleEndian(destination[8..], Index);
        if (Time is { } time)
            BinaryPrimitives.WriteInt64LittleEndian(destination[HeaderSize..], time);
        Key.CopyTo(destination[start..]);
        Value.CopyTo(destination[(start + Key.Length)..]);
        destination[(start + Key.Length + Value.Length)..length].Clear();
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
        uint keyLength = BinaryPrimitives.ReadUInt16LittleEndian(source[4..]);
        int flags = BinaryPrimitives.ReadUInt16LittleEndian(source[6..]);
        bool hasTime = flags == 1;
        long index = BinaryPrimitives.ReadInt64LittleEndian(source[8..]);
        if (valueLength > PutCommand.ValueBytesMax || keyLength is 0 or > PutCommand.KeyBytesMax)
            return DecodeStatus.Invalid;
        if (index is < 1 or > LogPosition.Greatest || flags > 1)
            return DecodeStatus.Invalid;
        int padded = LengthOf((int)keyLength, (int)valueLength, hasTime);
        if (source.Length < padded)
            return DecodeStatus.Incomplete;
        int start = HeadBytes(hasTime);
        int end = start + (int)keyLength + (int)valueLength;
        long time = hasTime ? BinaryPrimitives.ReadInt64LittleEndian(source[HeaderSize..]) : 0;
        if (time is < 0 or > LogPosition.Greatest)
            return DecodeStatus.Invalid;
        if (source[end..padded].ContainsAnyExcept((byte)0))
            return DecodeStatus.Invalid;
        entry = new(
            source.Slice(start, (int)keyLength), source[(start + (int)keyLength)..end], index, hasTime ? time : null);
        length = padded;
        return DecodeStatus.Complete;
    }

    private static int HeadBytes(bool hasTime) => HeaderSize + (hasTime ? sizeof(long) : 0);
}
