using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// Clients' keys in the order of their bytes: a B+-tree of slots (Bayer and McCreight, 1972; Comer, 1979), whose inner
/// nodes refer to the first key below each child. An overwrite that leaves the entry in its slot does not concern the
/// order. A node is freed when it is empty, and no sooner: nodes that have become sparse fill again (Johnson and
/// Shasha, 1989). No write moves more than half a node on each level.
/// </summary>
internal sealed unsafe class KeyOrder(PageMemory pages)
{
    /// <summary>
    /// Maximum levels. Between two splits a node takes at least 63 entries, so twelve levels need 63^11 new keys.
    /// </summary>
    private const int LevelsMax = 12;

    /// <summary>Slots whose cache misses overlap, while keys are taken in order.</summary>
    private const int TouchedAtOnce = 16;

    /// <summary>Way from the root to the place of the last search.</summary>
    private readonly Step[] path = new Step[LevelsMax];

    private OrderNode root;

    /// <summary>Level of the leaves; the root has level 0.</summary>
    private int leafLevel;

    private int touched;

    private long nodes;

    /// <summary>Number of keys.</summary>
    public long Count { get; private set; }

    /// <summary>Bytes of the nodes.</summary>
    public long Bytes => nodes * PageMemory.PageBytes;

    /// <param name="slot">Slot of a key that is not in the order.</param>
    public void Add(Slot slot)
    {
        Count++;
        if (root.IsNone)
        {
            root = NewNode(isInner: false);
            root.Insert(0, slot, null);
            return;
        }
        bool isFound = Descend(slot.Key);
        Invariant.Hold(!isFound);
        if (path[leafLevel].Place == 0)
            SetFirst(leafLevel, slot);
        Insert(leafLevel, path[leafLevel].Place, slot, null);
    }

    /// <param name="slot">Slot of a key in the order, not yet freed.</param>
    public void Remove(Slot slot)
    {
        Find(slot);
        Count--;
        int level = leafLevel;
        while (path[level].Node.Count == 1)
        {
            GiveBack(path[level].Node);
            if (level-- > 0)
                continue;
            root = default;
            leafLevel = 0;
            return;
        }
        OrderNode node = path[level].Node;
        node.Remove(path[level].Place);
        if (path[level].Place == 0)
            SetFirst(level, node.SlotAt(0));
        while (root.IsInner && root.Count == 1)
        {
            OrderNode former = root;
            root = root.ChildAt(0);
            leafLevel--;
            GiveBack(former);
        }
    }

    /// <summary>A key's entry has moved to another slot. The former slot is not yet freed.</summary>
    public void Replace(Slot former, Slot slot)
    {
        Find(former);
        int level = leafLevel;
        path[level].Node.Replace(path[level].Place, slot);
        for (; level > 0 && path[level].Place == 0; level--)
            path[level - 1].Node.Replace(path[level - 1].Place, slot);
    }

    /// <summary>The first key that is not before <paramref name="key"/> becomes the next to be taken.</summary>
    public void Seek(ReadOnlySpan<byte> key)
    {
        touched = 0;
        if (!root.IsNone)
            Descend(key);
    }

    /// <summary>Takes the next key in order. The order must not change from <see cref="Seek"/> on.</summary>
    public bool TryTake(out Slot slot)
    {
        slot = default;
        if (root.IsNone || path[leafLevel].Place == path[leafLevel].Node.Count && !TryEnterNextLeaf())
            return false;
        ref Step step = ref path[leafLevel];
        if (touched-- == 0)
        {
            step.Node.Touch(step.Place, TouchedAtOnce);
            touched = TouchedAtOnce - 1;
        }
        slot = step.Node.SlotAt(step.Place++);
        return true;
    }

    private bool TryEnterNextLeaf()
    {
        int level = leafLevel - 1;
        while (level >= 0 && path[level].Place + 1 == path[level].Node.Count)
            level--;
        if (level < 0)
            return false;
        path[level].Place++;
        for (; level < leafLevel; level++)
            path[level + 1] = new Step(path[level].Node.ChildAt(path[level].Place), 0);
        touched = 0;
        return true;
    }

    private void Find(Slot slot)
    {
        Invariant.Hold(!root.IsNone);
        bool isFound = Descend(slot.Key);
        Invariant.Hold(isFound);
        Invariant.Hold(path[leafLevel].Node.SlotAt(path[leafLevel].Place).Address == slot.Address);
    }

    /// <summary>
    /// Sets the path to the first key that is not before <paramref name="key"/>, in the leaf that would hold the key.
    /// The place in that leaf may be its end.
    /// </summary>
    /// <returns>True if the order has the key.</returns>
    private bool Descend(ReadOnlySpan<byte> key)
    {
        OrderNode node = root;
        for (int level = 0; ; level++)
        {
            int place = node.LowerBound(key, out bool isFound);
            if (level < leafLevel && !isFound)
                place = Math.Max(0, place - 1);
            path[level] = new Step(node, place);
            if (level == leafLevel)
                return isFound;
            node = node.ChildAt(place);
        }
    }

    /// <summary>Corrects the nodes above the path's node on this level, which has another first key now.</summary>
    private void SetFirst(int level, Slot slot)
    {
        while (level-- > 0)
        {
            path[level].Node.Set(path[level].Place, slot);
            if (path[level].Place > 0)
                return;
        }
    }

    /// <summary>Inserts an entry into the path's node on this level, which splits if it is full.</summary>
    private void Insert(int level, int place, Slot slot, ulong* child)
    {
        OrderNode node = path[level].Node;
        if (!node.IsFull)
        {
            node.Insert(place, slot, child);
            return;
        }
        OrderNode right = NewNode(node.IsInner);
        // If the new entry comes last, the full node stays full: keys often come in ascending order.
        int split = place == node.Count ? place : node.Count / 2;
        node.MoveTail(split, right);
        if (place > split || right.Count == 0)
            right.Insert(place - split, slot, child);
        else
            node.Insert(place, slot, child);
        if (level > 0)
        {
            Insert(level - 1, path[level - 1].Place + 1, right.SlotAt(0), right.Address);
            return;
        }
        Invariant.Hold(leafLevel + 1 < LevelsMax);
        root = NewNode(isInner: true);
        root.Insert(0, node.SlotAt(0), node.Address);
        root.Insert(1, right.SlotAt(0), right.Address);
        leafLevel++;
    }

    private OrderNode NewNode(bool isInner)
    {
        OrderNode node = new(pages.Take());
        node.Clear(isInner);
        nodes++;
        return node;
    }

    private void GiveBack(OrderNode node)
    {
        nodes--;
        pages.GiveBack(node.Address);
    }

    private struct Step(OrderNode node, int place)
    {
        public readonly OrderNode Node = node;
        public int Place = place;
    }
}
