using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// Entries that have a time, in a binary heap by time and then by index: the order is the same on every member. Each
/// slot knows its place in the heap, so an entry that is overwritten or deleted leaves the heap at once.
/// </summary>
internal sealed unsafe class TimedSlots
{
    private Item[] heap = new Item[16];

    public int Count { get; private set; }

    public long Bytes => (long)heap.Length * sizeof(Item);

    /// <summary>Earliest time; MaxValue if there is no entry.</summary>
    public long Earliest => Count == 0 ? long.MaxValue : heap[0].Time;

    /// <summary>Entry with the earliest time.</summary>
    public Slot First
    {
        get
        {
            Invariant.Hold(Count > 0);
            return new(heap[0].Slot);
        }
    }

    public void Add(Slot slot)
    {
        if (Count == heap.Length)
            Array.Resize(ref heap, 2 * Count);
        heap[Count] = new Item(slot);
        MoveUp(Count++);
    }

    public void Remove(Slot slot)
    {
        int place = slot.Place;
        Invariant.Hold(place < Count);
        Invariant.Hold(heap[place].Slot == slot.Address);
        Item last = heap[--Count];
        if (place == Count)
            return;
        heap[place] = last;
        MoveUp(place);
        MoveDown(new Slot(last.Slot).Place);
    }

    /// <summary>Finds entries whose time is at most <paramref name="time"/>, in no order.</summary>
    /// <returns>Number of entries found, at most the length of <paramref name="found"/>.</returns>
    public int Find(long time, Span<Slot> found)
    {
        Span<int> open = stackalloc int[found.Length + 1];
        int opened = 0;
        int count = 0;
        if (Count > 0)
            open[opened++] = 0;
        while (opened > 0 && count < found.Length)
        {
            int place = open[--opened];
            if (heap[place].Time > time)
                continue;
            found[count++] = new Slot(heap[place].Slot);
            for (int child = 2 * place + 1; child <= 2 * place + 2 && child < Count && opened < open.Length; child++)
                open[opened++] = child;
        }
        return count;
    }

    private void MoveUp(int place)
    {
        Item item = heap[place];
        while (place > 0 && item.IsBefore(heap[(place - 1) / 2]))
        {
            Put(heap[(place - 1) / 2], place);
            place = (place - 1) / 2;
        }
        Put(item, place);
    }

    private void MoveDown(int place)
    {
        Item item = heap[place];
        while (2 * place + 1 < Count)
        {
            int child = 2 * place + 1;
            if (child + 1 < Count && heap[child + 1].IsBefore(heap[child]))
                child++;
            if (!heap[child].IsBefore(item))
                break;
            Put(heap[child], place);
            place = child;
        }
        Put(item, place);
    }

    private void Put(in Item item, int place)
    {
        heap[place] = item;
        new Slot(item.Slot).Place = place;
    }

    private readonly struct Item(Slot slot)
    {
        public readonly long Time = slot.Time;
        public readonly long Index = slot.Index;
        public readonly byte* Slot = slot.Address;

        public bool IsBefore(in Item other) => Time != other.Time ? Time < other.Time : Index < other.Index;
    }
}
