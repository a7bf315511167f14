using System.Runtime.InteropServices;

namespace RaftFast.Storage;

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

    private readonly List<nint> arenas = [];
    private byte* next;
    private int slabsLeft;
    private int arenaSlabs = ArenaSlabsMin;

    /// <summary>
    /// Set while a snapshot is loaded: arenas taken then are asked for in huge pages, which are fewer to fault in, and to look up later.
    /// Not otherwise: to clear one, or to make room for it, could hold up a write.
    /// </summary>
    public bool IsFilledAtOnce { get; set; }

    /// <summary>In slabs given out.</summary>
    public long Bytes { get; private set; }

    /// <summary>A slab whose contents are undefined.</summary>
    public byte* TakeSlab()
    {
        if (slabsLeft == 0)
        {
            nuint bytes = (nuint)arenaSlabs * SlabBytes;
            next = (byte*)NativeMemory.AlignedAlloc(bytes, (nuint)(IsFilledAtOnce ? HugePageBytes : SlabBytes));
            arenas.Add((nint)next);
            // Advice: where it isn't taken, all goes on with small pages.
            if (IsFilledAtOnce && Libc.IsKnown)
                _ = Libc.Advise(next, bytes, Libc.AdviceHugePages);
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
        foreach (nint arena in arenas)
            NativeMemory.AlignedFree((void*)arena);
        arenas.Clear();
        slabsLeft = 0;
    }
}
