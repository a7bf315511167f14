using System.Runtime.InteropServices;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Store;

/// <summary>
/// Slabs of native memory, aligned to their size. Slabs are taken one by one and freed all at once. Slabs are cut from
/// arenas that double in size, so that a small store takes little memory and a large one allocates seldom. The
/// operating system fills in pages when they are first touched.
/// </summary>
internal sealed unsafe class SlabMemory : IDisposable
{
    public const int SlabBytes = 256 * 1024;

    /// <summary>Size of a huge page on x64, and on arm64 with pages of 4 KiB.</summary>
    private const int HugePageBytes = 2 << 20;

    private const int ArenaSlabsMin = 4;
    private const int ArenaSlabsMax = 256;
    private const int ArenaBytesMax = ArenaSlabsMax * SlabBytes;

    private readonly Lock gate = new();
    private readonly List<nint> arenas = [];

    /// <summary>Next arena, if a thread is filling in its pages in advance; else null.</summary>
    private byte* ahead;
    private Thread? populating;

    private byte* next;
    private int slabsLeft;
    private int arenaSlabs = ArenaSlabsMin;

    /// <summary>
    /// True while a snapshot is loaded. Arenas taken meanwhile use huge pages: fewer pages to fault in, and to look
    /// up later. Another thread fills in large arenas, one in advance. If the host of a virtual machine has
    /// to find the memory first, filling in takes longer than loading. The last of these arenas stays unused until the
    /// store grows. At other times arenas use small pages: clearing a huge page, or making room for one, could delay a
    /// write.
    /// </summary>
    public bool IsBulkLoading { get; set; }

    /// <summary>Bytes of the slabs taken.</summary>
    public long Bytes { get; private set; }

    /// <summary>Takes a slab, whose contents are undefined. Any thread.</summary>
    public byte* TakeSlab()
    {
        lock (gate)
            return Take();
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

    private byte* Take()
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
            populating = new Thread(() => _ = Libc.Advise((void*)address, ArenaBytesMax, Libc.AdvicePopulate))
            {
                IsBackground = true,
            };
            populating.Start();
        }
        return arena;
    }

    private byte* NewArena()
    {
        nuint bytes = (nuint)arenaSlabs * SlabBytes;
        byte* arena = (byte*)NativeMemory.AlignedAlloc(bytes, (nuint)(IsBulkLoading ? HugePageBytes : SlabBytes));
        // Only advice: if the system doesn't follow it, the arena uses small pages.
        if (IsBulkLoading && Libc.IsKnown)
            _ = Libc.Advise(arena, bytes, Libc.AdviceHugePages);
        return arena;
    }
}
