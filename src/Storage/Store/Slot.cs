using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// Place of an entry in native memory, at a multiple of 8:
/// <code>
///  0  i64  index         log index of the entry's last write; 0: the slot has no entry
///  8  i32  value length  bytes
/// 12  u16  key length    bytes
/// 14  u16  1: the entry has a time
/// 16       contents; for an entry larger than SizeClasses.SlotBytesMax, the address of a block that holds them
/// </code>
/// The contents are key and value. If the entry has a time, 16 bytes come before them:
/// <code>
///  0  i64  time          log time in milliseconds; its meaning depends on the key (<see cref="StateKeys"/>)
///  8  i64  place         of the slot in TimedSlots; the only word that may change while a view shows the entry
/// </code>
/// In a free slot, bytes 8–15 are the address of the next free slot of its slab, or 0.
/// A <see cref="StoreView"/> reads no word that the store may write at the same time, except the index.
/// </summary>
internal readonly unsafe struct Slot(byte* address)
{
    public const int HeaderSize = 16;

    /// <summary>Size of the slot of a large entry, whose key and value are in a block.</summary>
    public const int LargeSize = HeaderSize + sizeof(long);

    /// <summary>Bytes of time and place, before the key.</summary>
    private const int TimeBytes = 2 * sizeof(long);

    public byte* Address => address;

    public bool IsNone => address is null;

    public long Index
    {
        get => Volatile.Read(ref *(long*)address);
        set => Volatile.Write(ref *(long*)address, value);
    }

    public int ValueLength => *(int*)(address + 8);

    public int KeyLength => *(ushort*)(address + 12);

    public bool HasTime => *(ushort*)(address + 14) != 0;

    /// <summary>Bytes of header and contents, which decide the size class.</summary>
    public int EntryBytes => BytesOf(KeyLength, ValueLength, HasTime);

    public bool IsLarge => EntryBytes > SizeClasses.SlotBytesMax;

    public ReadOnlySpan<byte> Key => new(KeyStart, KeyLength);

    public ReadOnlySpan<byte> Value => new(KeyStart + KeyLength, ValueLength);

    public ReadOnlySpan<byte> KeyAndValue => new(KeyStart, KeyLength + ValueLength);

    /// <summary>Time of an entry that has one; else 0.</summary>
    public long Time => HasTime ? *(long*)Contents : 0;

    /// <summary>Place of a slot with a time in its <see cref="TimedSlots"/>.</summary>
    public int Place
    {
        get => (int)*(long*)(Contents + 8);
        set => *(long*)(Contents + 8) = value;
    }

    /// <summary>Address of the block that holds a large entry's key and value.</summary>
    public byte* Block
    {
        get => *(byte**)(address + HeaderSize);
        set => *(byte**)(address + HeaderSize) = value;
    }

    /// <summary>Next slot in the list of freed slots. Defined only while this slot is free.</summary>
    public Slot NextFree
    {
        get => new(*(byte**)(address + 8));
        set => *(byte**)(address + 8) = value.Address;
    }

    private byte* Contents => IsLarge ? Block : address + HeaderSize;

    private byte* KeyStart => Contents + (HasTime ? TimeBytes : 0);

    /// <summary>Bytes of header and contents.</summary>
    public static int BytesOf(int keyLength, int valueLength, bool hasTime) =>
        HeaderSize + (hasTime ? TimeBytes : 0) + keyLength + valueLength;

    public void SetLengths(int keyLength, int valueLength, bool hasTime)
    {
        Invariant.Hold(keyLength is > 0 and <= PutCommand.KeyBytesMax);
        Invariant.Hold(valueLength is >= 0 and <= PutCommand.ValueBytesMax);
        *(int*)(address + 8) = valueLength;
        *(int*)(address + 12) = keyLength | (hasTime ? 1 << 16 : 0);
    }

    public void SetKey(ReadOnlySpan<byte> key) => key.CopyTo(new Span<byte>(KeyStart, KeyLength));

    public void SetValue(ReadOnlySpan<byte> value) => value.CopyTo(new Span<byte>(KeyStart + KeyLength, ValueLength));

    public void SetTime(long time)
    {
        Invariant.Hold(HasTime);
        *(long*)Contents = time;
    }
}
