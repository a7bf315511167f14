using System.Runtime.InteropServices;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Store;

/// <summary>
/// Slabs of native memory, aligned to their size, given out one by one and given back all at once. They are carved from arenas that
/// double in size, so that a small store asks for little and a large one seldom; the operating system fills in pages as they are touched.
/// </summary>
internal sealed unsafe class SlabMemory : IDisposable
{
    public const int SlabBytes = 256 * 1024;

    /// <summary>On x64, and on arm64 with pages of 4 KiB.</summary>
    private const int HugePageBytes = 2 << 20;

    private const int ArenaSlabsMin = 4;
    private const int ArenaSlabsMax = 256;
    private const int ArenaBytesMax = ArenaSlabsMax * SlabBytes;

    private readonly List<nint> arenas = [];

    /// <summary>The arena that is needed next, if it is being filled in already.</summary>
    private byte* ahead;
    private Thread? populating;

    private byte* next;
    private int slabsLeft;
    private int arenaSlabs = ArenaSlabsMin;

    /// <summary>
    /// Set while a snapshot is loaded: arenas taken then are asked for in huge pages, which are fewer to fault in, and to look up later,
    /// and large ones are filled in by another thread, one ahead: where the host of a virtual machine has to find the memory first, that
    /// takes longer than to load it. The last one may not be needed before there is more to store. Not otherwise: to clear a huge page, or
    /// to make room for it, could hold up a write.
    /// </summary>
    public bool IsBulkLoading { get; set; }

    /// <summary>In slabs given out.</summary>
    public long Bytes { get; private set; }

    /// <summary>A slab whose contents are undefined.</summary>
    public byte* TakeSlab()
    {
        if (slabsLeft == 0)
        {
            next = NextArena();
            arenas.Add((nint)next);
            slabsLeft = arenaSlabs;
            arenaSlabs = Math.Min(arenaSlabs * 2, ArenaSlabsMax);
        }
        byte* slab = next;
        next += SlabBytes;
        slabsLeft--;
        Bytes += SlabBytes;
        return slab;
    }

    public void Dispose()
    {
        populating?.Join();
        NativeMemory.AlignedFree(ahead);
        ahead = null;
        foreach (nint arena in arenas)
            NativeMemory.AlignedFree((void*)arena);
        arenas.Clear();
        slabsLeft = 0;
    }

    private byte* NextArena()
    {
        populating?.Join();
        populating = null;
        byte* arena = ahead is null ? NewArena() : ahead;
        ahead = null;
        if (IsBulkLoading && Libc.IsKnown && arenaSlabs == ArenaSlabsMax)
        {
            ahead = NewArena();
            nint address = (nint)ahead;
            populating = new Thread(() => _ = Libc.Advise((void*)address, ArenaBytesMax, Libc.AdvicePopulate)) { IsBackground = true };
            populating.Start();
        }
        return arena;
    }

    private byte* NewArena()
    {
        nuint bytes = (nuint)arenaSlabs * SlabBytes;
        byte* arena = (byte*)NativeMemory.AlignedAlloc(bytes, (nuint)(IsBulkLoading ? HugePageBytes : SlabBytes));
        // Advice: where it isn't taken, all goes on with small pages.
        if (IsBulkLoading && Libc.IsKnown)
            _ = Libc.Advise(arena, bytes, Libc.AdviceHugePages);
        return arena;
    }
}
