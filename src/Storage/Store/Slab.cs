using System.Runtime.InteropServices;

namespace RaftFast.Storage.Store;

/// <summary>
/// Header of a slab of <see cref="SlabMemory"/> that is cut into slots of one size class. The slots follow the header.
/// The first <see cref="Carved"/> slots have been in use; the rest have never been written.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Slab
{
    /// <summary>Bytes before the first slot: a cache line.</summary>
    public const int HeaderSize = 64;

    /// <summary>Slab that was the newest before this one; never changes. Links all slabs in one list.</summary>
    public Slab* Older;

    /// <summary>Neighbours in the list of the class's slabs that have room.</summary>
    public Slab* Previous;
    public Slab* Next;

    /// <summary>First in the list of freed slots.</summary>
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
