using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// A node of <see cref="KeyOrder"/>, in a page of 2 KiB: entries in the order of their keys. The first word of 8 bytes
/// is the header.
/// <code>
/// header:  bits 0–15 entries, 16–31 prefix length, 32: inner node
/// leaf:    255 words, one for each entry
/// inner:   127 words, one for each entry; then 127 words, the address of each entry's child
/// entry:   bits 0–44 address of the slot / 8, 45–63 head
/// </code>
/// An inner node's entry refers to the slot of the first key below the child. All keys of a node agree in a prefix. The
/// head of an entry is the 19 bits of its key that follow this prefix, or zeros after the key's end. So heads have the
/// order of the keys, and a search reads few keys that it does not find.
/// </summary>
internal readonly unsafe struct OrderNode(ulong* words)
{
    public const int LeafEntriesMax = Words - 1;

    public const int InnerEntriesMax = (Words - 1) / 2;

    private const int Words = PageMemory.PageBytes / sizeof(ulong);

    private const int HeadBits = 19;

    private const int HeadShift = 64 - HeadBits;

    private const int PrefixShift = 16;

    private const ulong InnerFlag = 1UL << 32;

    public ulong* Address => words;

    public bool IsNone => words is null;

    public bool IsInner => (words[0] & InnerFlag) != 0;

    public int Count
    {
        get => (ushort)words[0];
        private set => words[0] = words[0] & ~0xffffUL | (uint)value;
    }

    public bool IsFull => Count == (IsInner ? InnerEntriesMax : LeafEntriesMax);

    /// <summary>Bytes that all keys of the node begin with; not necessarily as many as possible.</summary>
    private int PrefixLength
    {
        get => (ushort)(words[0] >> PrefixShift);
        set => words[0] = words[0] & ~(0xffffUL << PrefixShift) | (ulong)value << PrefixShift;
    }

    private ulong* Entries => words + 1;

    private ulong* Children => words + 1 + InnerEntriesMax;

    public void Clear(bool isInner) => words[0] = isInner ? InnerFlag : 0;

    public Slot SlotAt(int place) => IndexPage.SlotIn(Entries[place]);

    public OrderNode ChildAt(int place) => new((ulong*)Children[place]);

    /// <returns>Place of the first key that is not before <paramref name="key"/>.</returns>
    public int LowerBound(ReadOnlySpan<byte> key, out bool isFound)
    {
        isFound = false;
        uint head = HeadOf(key, PrefixLength);
        int low = FirstFrom(head);
        int order = Compare(key, SlotAt(Math.Min(low, Count - 1)).Key, out int common);
        // A key without the node's prefix is before all keys or after all, and its head means nothing.
        if (common < PrefixLength)
            return order < 0 ? 0 : Count;
        if (low == Count || order <= 0)
        {
            isFound = low < Count && order == 0;
            return low;
        }
        low++;
        for (int high = FirstFrom(head + 1); low < high;)
        {
            int middle = (low + high) / 2;
            order = Compare(key, SlotAt(middle).Key, out _);
            isFound = order == 0;
            if (isFound)
                return middle;
            if (order > 0)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    /// <param name="child">Null in a leaf.</param>
    public void Insert(int place, Slot slot, ulong* child)
    {
        Invariant.Hold(!IsFull);
        Invariant.Hold(child is null != IsInner);
        int count = Count;
        Move(Entries, place, place + 1, count - place);
        if (IsInner)
        {
            Move(Children, place, place + 1, count - place);
            Children[place] = (ulong)child;
        }
        Count = count + 1;
        Set(place, slot);
    }

    public void Remove(int place)
    {
        int count = Count;
        Move(Entries, place + 1, place, count - place - 1);
        if (IsInner)
            Move(Children, place + 1, place, count - place - 1);
        Count = count - 1;
    }

    /// <summary>Makes an entry refer to another key, or puts an entry in a place made for it.</summary>
    public void Set(int place, Slot slot)
    {
        ReadOnlySpan<byte> key = slot.Key;
        int count = Count;
        int common = count == 1 ? key.Length : key.CommonPrefixLength(SlotAt(place == 0 ? 1 : 0).Key);
        Entries[place] = IndexPage.BucketOf(HeadOf(key, PrefixLength), slot);
        if (count == 1 || common < PrefixLength)
            SetPrefix(common);
    }

    /// <summary>Makes an entry refer to another slot of the same key.</summary>
    public void Replace(int place, Slot slot) => Entries[place] = IndexPage.Moved(Entries[place], slot);

    /// <summary>Moves the entries from a place on to an empty node of the same kind.</summary>
    public void MoveTail(int place, OrderNode to)
    {
        int moved = Count - place;
        new ReadOnlySpan<ulong>(Entries + place, moved).CopyTo(new Span<ulong>(to.Entries, moved));
        if (IsInner)
            new ReadOnlySpan<ulong>(Children + place, moved).CopyTo(new Span<ulong>(to.Children, moved));
        Count = place;
        to.Count = moved;
        if (moved == 0)
            return;
        Tighten();
        to.Tighten();
    }

    /// <summary>Reads a word of each slot from a place on, so that the cache misses overlap.</summary>
    public void Touch(int place, int entries)
    {
        long bytes = 0;
        int end = Math.Min(Count, place + entries);
        for (int i = place; i < end; i++)
            bytes += SlotAt(i).KeyLength;
        Invariant.Hold(bytes >= end - place);
    }

    private static void Move(ulong* array, int from, int to, int length) =>
        new ReadOnlySpan<ulong>(array + from, length).CopyTo(new Span<ulong>(array + to, length));

    private static int Compare(ReadOnlySpan<byte> key, ReadOnlySpan<byte> other, out int common)
    {
        common = key.CommonPrefixLength(other);
        if (common == key.Length || common == other.Length)
            return key.Length - other.Length;
        return key[common] - other[common];
    }

    private static uint HeadOf(ReadOnlySpan<byte> key, int prefixLength)
    {
        uint head = 0;
        for (int i = prefixLength; i < prefixLength + 3; i++)
            head = head << 8 | (i < key.Length ? key[i] : 0u);
        return head >> (24 - HeadBits);
    }

    /// <returns>First place whose head is at least <paramref name="head"/>.</returns>
    private int FirstFrom(uint head)
    {
        int low = 0;
        int high = Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (Entries[middle] >> HeadShift < head)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    /// <summary>All keys agree as far as the first and the last key agree, because the keys are in order.</summary>
    private void Tighten() => SetPrefix(SlotAt(0).Key.CommonPrefixLength(SlotAt(Count - 1).Key));

    private void SetPrefix(int length)
    {
        PrefixLength = length;
        for (int i = 0; i < Count; i++)
        {
            Slot slot = SlotAt(i);
            Entries[i] = IndexPage.BucketOf(HeadOf(slot.Key, length), slot);
        }
    }
}
