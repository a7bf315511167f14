namespace RaftFast.Storage.Store;

/// <summary>
/// Allocates and frees slots, by size class. Each class has a list of its slabs that have room, and takes slots from
/// the first. A slab that becomes empty goes to the end of the list, where any class that needs a slab finds it.
/// </summary>
internal sealed unsafe class SlotAllocator(SlabMemory memory) : IDisposable
{
    private readonly Slab*[] first = new Slab*[SizeClasses.SlabClasses];
    private readonly Slab*[] last = new Slab*[SizeClasses.SlabClasses];
    private readonly LargeBlocks blocks = new();

    /// <summary>First in the list of all slabs (<see cref="Slab.Older"/>).</summary>
    public Slab* Newest { get; private set; }

    /// <summary>True while a view reads the slabs: no slab may be cut into other sizes.</summary>
    public bool IsViewed { get; set; }

    /// <summary>Bytes of the slots in use, without blocks.</summary>
    public long SlotBytes { get; private set; }

    /// <summary>Bytes of the blocks for entries too large for slabs.</summary>
    public long LargeBytes => blocks.Bytes;

    /// <summary>Allocates a slot for these lengths. The slot's index is 0 until the caller sets it.</summary>
    public Slot Allocate(int keyLength, int valueLength, bool hasTime)
    {
        int entryBytes = Slot.BytesOf(keyLength, valueLength, hasTime);
        bool isLarge = entryBytes > SizeClasses.SlotBytesMax;
        Slot slot = Take(SizeClasses.Of(isLarge ? Slot.LargeSize : entryBytes));
        slot.SetLengths(keyLength, valueLength, hasTime);
        if (isLarge)
            slot.Block = blocks.Allocate(BlockBytes(slot));
        return slot;
    }

    public void Free(Slot slot)
    {
        if (slot.IsLarge)
            blocks.Free(slot.Block, BlockBytes(slot));
        Slab* slab = Slab.Of(slot);
        SlotBytes -= slab->SlotBytes;
        slot.Index = 0;
        slot.NextFree = slab->Free;
        slab->Free = slot;
        bool wasFull = slab->Live == slab->Capacity;
        slab->Live--;
        if (wasFull)
            LinkFirst(slab);
        if (slab->Live == 0)
        {
            Unlink(slab);
            LinkLast(slab);
        }
    }

    public void Dispose() => blocks.Dispose();

    private static int BlockBytes(Slot slot) => SizeClasses.BytesOf(SizeClasses.Of(slot.EntryBytes)) - Slot.HeaderSize;

    private Slot Take(int sizeClass)
    {
        Slab* slab = first[sizeClass];
        if (slab is null)
        {
            slab = TakeSlab();
            Cut(slab, sizeClass);
            LinkFirst(slab);
        }
        Slot slot = slab->Free;
        if (slot.IsNone)
        {
            slot = Slab.At(slab, slab->Carved);
            // The index is cleared before the slot counts as carved: a view must not read old memory as an index.
            slot.Index = 0;
            slab->Carved++;
        }
        else
        {
            slab->Free = slot.NextFree;
        }
        slab->Live++;
        SlotBytes += slab->SlotBytes;
        if (slab->Live == slab->Capacity)
            Unlink(slab);
        return slot;
    }

    private Slab* TakeSlab()
    {
        for (int i = 0; i < last.Length && !IsViewed; i++)
        {
            Slab* slab = last[i];
            if (slab is not null && slab->Live == 0)
            {
                Unlink(slab);
                return slab;
            }
        }
        Slab* added = (Slab*)memory.TakeSlab();
        added->Older = Newest;
        Newest = added;
        return added;
    }

    private static void Cut(Slab* slab, int sizeClass)
    {
        slab->Free = default;
        slab->SizeClass = sizeClass;
        slab->SlotBytes = SizeClasses.BytesOf(sizeClass);
        slab->Capacity = (SlabMemory.SlabBytes - Slab.HeaderSize) / slab->SlotBytes;
        slab->Live = 0;
        slab->Carved = 0;
    }

    private void LinkFirst(Slab* slab)
    {
        ref Slab* head = ref first[slab->SizeClass];
        slab->Previous = null;
        slab->Next = head;
        if (head is null)
            last[slab->SizeClass] = slab;
        else
            head->Previous = slab;
        head = slab;
    }

    private void LinkLast(Slab* slab)
    {
        ref Slab* tail = ref last[slab->SizeClass];
        slab->Next = null;
        slab->Previous = tail;
        if (tail is null)
            first[slab->SizeClass] = slab;
        else
            tail->Next = slab;
        tail = slab;
    }

    private void Unlink(Slab* slab)
    {
        if (slab->Previous is null)
            first[slab->SizeClass] = slab->Next;
        else
            slab->Previous->Next = slab->Next;
        if (slab->Next is null)
            last[slab->SizeClass] = slab->Previous;
        else
            slab->Next->Previous = slab->Previous;
    }
}
