using System.Buffers.Binary;
using System.Runtime.InteropServices;
using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// Puts the keys of a snapshot in order while their entries are loaded. The entries of a snapshot have no order. Adding
/// their keys one by one would read distant parts of the tree for each key. So the keys come in runs: another thread
/// sorts a run and adds its keys in ascending order, while the caller loads the next run.
/// </summary>
/// <param name="runKeys">Keys in a run.</param>
internal sealed unsafe class OrderLoader(KeyOrder order, int runKeys = OrderLoader.RunKeys) : IDisposable
{
    /// <summary>Keys in a run of 16 MiB. A run adds some 18 keys to each leaf of an order of 10 million keys.</summary>
    private const int RunKeys = 1 << 20;

    /// <summary>Keys that are fetched together.</summary>
    private const int TouchedAtOnce = 32;

    /// <summary>Number of keys below which comparing whole keys is faster.</summary>
    private const int SmallGroup = 12;

    private Item* run;
    private int count;
    private Thread? adding;

    public void Add(Slot slot)
    {
        if (run is null)
            run = (Item*)NativeMemory.Alloc((nuint)runKeys, (nuint)sizeof(Item));
        run[count++] = new Item(slot, 0);
        if (count < runKeys)
            return;
        Item* full = run;
        run = null;
        count = 0;
        adding?.Join();
        adding = new Thread(() => AddRun(full, runKeys)) { IsBackground = true };
        adding.Start();
    }

    /// <summary>The order is complete.</summary>
    public void Complete()
    {
        adding?.Join();
        adding = null;
        if (run is not null)
            AddRun(run, count);
        run = null;
        count = 0;
    }

    public void Dispose()
    {
        adding?.Join();
        NativeMemory.Free(run);
        run = null;
    }

    private void AddRun(Item* items, int length)
    {
        Span<Item> sorted = new(items, length);
        foreach (ref Item item in sorted)
            item = new Item(item.Slot, 0);
        Sort(sorted, 0);
        for (int i = 0; i < length; i++)
        {
            if (i % TouchedAtOnce == 0)
                Touch(sorted.Slice(i, Math.Min(TouchedAtOnce, length - i)));
            order.Add(sorted[i].Slot);
        }
        NativeMemory.Free(items);
    }

    private static void Touch(ReadOnlySpan<Item> items)
    {
        long bytes = 0;
        foreach (ref readonly Item item in items)
            bytes += item.Slot.KeyLength;
        Invariant.Hold(bytes >= items.Length);
    }

    /// <summary>
    /// Multikey quicksort (Bentley and Sedgewick, 1997), eight bytes of the keys at a time. The pivots are random, so
    /// no order of entries makes the sort slow.
    /// </summary>
    /// <param name="depth">Bytes in which all keys agree. The head of each item has the eight after them.</param>
    private static void Sort(Span<Item> items, int depth)
    {
        while (items.Length > SmallGroup && depth <= PutCommand.KeyBytesMax)
        {
            ulong pivot = items[Random.Shared.Next(items.Length)].Head;
            int less = 0;
            int greater = items.Length;
            for (int i = 0; i < greater;)
            {
                if (items[i].Head < pivot)
                    Swap(ref items[less++], ref items[i++]);
                else if (items[i].Head > pivot)
                    Swap(ref items[--greater], ref items[i]);
                else
                    i++;
            }
            Span<Item> equal = items[less..greater];
            foreach (ref Item item in equal)
                item = new Item(item.Slot, depth + sizeof(ulong));
            Sort(equal, depth + sizeof(ulong));
            // The longer part is next in this loop, so that recursion is not deep.
            Span<Item> shorter = less < items.Length - greater ? items[..less] : items[greater..];
            Sort(shorter, depth);
            items = less < items.Length - greater ? items[greater..] : items[..less];
        }
        for (int i = 1; i < items.Length; i++)
        {
            Item inserted = items[i];
            int place = i;
            for (; place > 0 && inserted.IsBefore(items[place - 1]); place--)
                items[place] = items[place - 1];
            items[place] = inserted;
        }
    }

    private static void Swap(ref Item one, ref Item other) => (one, other) = (other, one);

    private readonly struct Item(Slot slot, int depth)
    {
        public readonly Slot Slot = slot;
        public readonly ulong Head = HeadOf(slot.Key, depth);

        public bool IsBefore(in Item other) => Head != other.Head
            ? Head < other.Head
            : Slot.Key.SequenceCompareTo(other.Slot.Key) < 0;

        private static ulong HeadOf(ReadOnlySpan<byte> key, int depth)
        {
            if (key.Length >= depth + sizeof(ulong))
                return BinaryPrimitives.ReadUInt64BigEndian(key[depth..]);
            Span<byte> padded = stackalloc byte[sizeof(ulong)];
            padded.Clear();
            if (depth < key.Length)
                key[depth..].CopyTo(padded);
            return BinaryPrimitives.ReadUInt64BigEndian(padded);
        }
    }
}
