using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// Place of an entry in native memory, at a multiple of 8:
/// <code>
///  0  i64  index         log index of the entry's last write; 0: the slot has no entry
///  8  i32  value length  bytes
/// 12  u16  key length    bytes
/// 14  u16  unused
/// 16       key, then value; for an entry larger than SizeClasses.SlotBytesMax, the address of a block that holds both
/// </code>
/// In a free slot, bytes 8–15 are the address of the next free slot of its slab, or 0.
/// The index is the only word that a <see cref="StoreView"/> may read while the store writes it.
/// </summary>
internal readonly unsafe struct Slot(byte* address)
{
    public const int HeaderSize = 16;

    /// <summary>Size of the slot of a large entry, whose key and value are in a block.</summary>
    public const int LargeSize = HeaderSize + sizeof(long);

    public byte* Address => address;

    public bool IsNone => address is null;

    public long Index
    {
        get => Volatile.Read(ref *(long*)address);
        set => Volatile.Write(ref *(long*)address, value);
    }

    public int ValueLength => *(int*)(address + 8);

    public int KeyLength => *(ushort*)(address + 12);

    /// <summary>Bytes of header, key and value, which decide the size class.</summary>
    public int EntryBytes => HeaderSize + KeyLength + ValueLength;

    public bool IsLarge => EntryBytes > SizeClasses.SlotBytesMax;

    public ReadOnlySpan<byte> Key => new(Contents, KeyLength);

    public ReadOnlySpan<byte> Value => new(Contents + KeyLength, ValueLength);

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

    public void SetLengths(int keyLength, int valueLength)
    {
        Invariant.Hold(keyLength is > 0 and <= PutCommand.KeyBytesMax);
        Invariant.Hold(valueLength is >= 0 and <= PutCommand.ValueBytesMax);
        *(int*)(address + 8) = valueLength;
        *(int*)(address + 12) = keyLength;
    }

    public void SetKey(ReadOnlySpan<byte> key) => key.CopyTo(new Span<byte>(Contents, KeyLength));

    public void SetValue(ReadOnlySpan<byte> value) => value.CopyTo(new Span<byte>(Contents + KeyLength, ValueLength));
}
