using System.Runtime.InteropServices;

namespace RaftFast.Storage.Store;

/// <summary>
/// The start of a slab of <see cref="SlabMemory"/> that is cut into slots of one size class. The slots follow it; the first
/// <see cref="Carved"/> of them have been in use, the rest has never been written.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Slab
{
    /// <summary>Bytes before the first slot: a cache line.</summary>
    public const int HeaderSize = 64;

    /// <summary>The slab that was the newest when this one came. All slabs are reached from the newest; never changes.</summary>
    public Slab* Older;

    /// <summary>Neighbours among the slabs of its class that have room.</summary>
    public Slab* Previous;
    public Slab* Next;

    /// <summary>Head of the chain of slots given back.</summary>
    public Slot Free;

    public int SizeClass;
    public int SlotBytes;
    public int Capacity;

    /// <summary>Slots in use.</summary>
    public int Live;

    private int carved;

    public int Carved
    {
        get => Volatile.Read(ref carved);
        set => Volatile.Write(ref carved, value);
    }

    public static Slab* Of(Slot slot) => (Slab*)((nint)slot.Address & -SlabMemory.SlabBytes);

    public static Slot At(Slab* slab, int number) => new((byte*)slab + HeaderSize + (long)number * slab->SlotBytes);
}
