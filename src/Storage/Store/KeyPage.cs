using System.Buffers.Binary;
using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// A page of a list of keys: consecutive keys in the order of their bytes, copied at one index of the log. The buffer
/// is made once, for any page.
/// </summary>
public sealed class KeyPage
{
    public const int KeysMax = 1000;

    /// <summary>Maximum bytes of a page, except of a page with one key.</summary>
    public const int BytesMax = 1 << 20;

    public const int BufferBytes = HeaderSize + PutCommand.KeyBytesMax + PutCommand.ValueBytesMax;

    /// <summary>Tag, length of the value, length of the key.</summary>
    private const int HeaderSize = sizeof(long) + 2 * sizeof(int);

    private readonly byte[] buffer = new byte[BufferBytes];
    private int length;
    private int last;

    /// <summary>Index of the log at which the page shows the store.</summary>
    public long Index { get; private set; }

    public int Count { get; private set; }

    /// <summary>True if keys of the range follow after the page.</summary>
    public bool HasMore { get; private set; }

    public bool HasValues { get; private set; }

    /// <summary>Encodings of the keys, to be read with <see cref="TryRead"/>.</summary>
    public ReadOnlySpan<byte> Encoded => buffer.AsSpan(0, length);

    /// <summary>The last key of a page that is not empty.</summary>
    public ReadOnlySpan<byte> LastKey
    {
        get
        {
            TryRead(buffer.AsSpan(last, length - last), out ListedKey key, out _);
            return key.Key;
        }
    }

    /// <summary>
    /// Copies the first keys of a range. On the store's thread; takes time for one page at most, and allocates nothing.
    /// </summary>
    public void Fill(KeyValueStore store, KeyRange range)
    {
        Invariant.Hold(range.Limit is > 0 and <= KeysMax);
        Index = store.AppliedIndex;
        HasValues = range.WithValues;
        HasMore = false;
        Count = length = last = 0;
        KeyOrder order = store.Order;
        bool isAfter = range.After.AsSpan().SequenceCompareTo(range.Prefix) >= 0;
        order.Seek(isAfter ? range.After : range.Prefix);
        while (order.TryTake(out Slot slot))
        {
            ReadOnlySpan<byte> key = slot.Key;
            if (Count == 0 && isAfter && key.SequenceEqual(range.After))
                continue;
            if (!key.StartsWith(range.Prefix))
                return;
            int bytes = HeaderSize + key.Length + (HasValues ? slot.ValueLength : 0);
            HasMore = Count == range.Limit || Count > 0 && length + bytes > BytesMax;
            if (HasMore)
                return;
            Append(slot);
        }
    }

    /// <summary>Reads the first key of encodings.</summary>
    /// <returns>False if there is none.</returns>
    public bool TryRead(ReadOnlySpan<byte> encoded, out ListedKey key, out int bytes)
    {
        key = default;
        bytes = 0;
        if (encoded.IsEmpty)
            return false;
        int valueLength = BinaryPrimitives.ReadInt32LittleEndian(encoded[8..]);
        int end = HeaderSize + BinaryPrimitives.ReadInt32LittleEndian(encoded[12..]);
        bytes = end + (HasValues ? valueLength : 0);
        long tag = BinaryPrimitives.ReadInt64LittleEndian(encoded);
        key = new ListedKey(encoded[HeaderSize..end], tag, valueLength, encoded[end..bytes]);
        return true;
    }

    private void Append(Slot slot)
    {
        last = length;
        Span<byte> to = buffer.AsSpan(length);
        BinaryPrimitives.WriteInt64LittleEndian(to, slot.Index);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], slot.ValueLength);
        BinaryPrimitives.WriteInt32LittleEndian(to[12..], slot.KeyLength);
        slot.Key.CopyTo(to[HeaderSize..]);
        length += HeaderSize + slot.KeyLength;
        if (HasValues)
        {
            slot.Value.CopyTo(buffer.AsSpan(length));
            length += slot.ValueLength;
        }
        Count++;
    }
}

/// <summary>Keys that a list shows.</summary>
/// <param name="Prefix">Keys begin with these bytes.</param>
/// <param name="After">Keys are after this one; empty to begin with the first.</param>
/// <param name="Limit">Maximum keys, at most <see cref="KeyPage.KeysMax"/>.</param>
public sealed record KeyRange(byte[] Prefix, byte[] After, int Limit, bool WithValues);

/// <summary>A key of a list.</summary>
/// <param name="tag">Index of the key's last write.</param>
/// <param name="value">Empty if the list has no values.</param>
public readonly ref struct ListedKey(ReadOnlySpan<byte> key, long tag, int valueLength, ReadOnlySpan<byte> value)
{
    public ReadOnlySpan<byte> Key { get; } = key;

    public long Tag { get; } = tag;

    public int ValueLength { get; } = valueLength;

    public ReadOnlySpan<byte> Value { get; } = value;
}
