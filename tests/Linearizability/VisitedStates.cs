using System.Numerics;

namespace RaftFast.Linearizability;

/// <summary>
/// States that a search has entered (Lowe 2017, §4): the operations placed, and the value. The set uses open addressing
/// over keys stored end to end. If a hash agrees, the whole key is compared.
/// </summary>
internal sealed class VisitedStates(int keyWordsMax)
{
    private readonly record struct Entry(ulong Hash, int Start, int Length);

    private const int Empty = -1;

    private int[] slots = NewSlots(16);
    private Entry[] entries = new Entry[8];
    private ulong[] keys = new ulong[32];
    private int keysLength;

    public int Count { get; private set; }

    /// <param name="hash">Hash of the whole key, all bits well mixed.</param>
    /// <param name="placed">First of two parts of the key. A part's length must follow from <paramref name="head"/> and
    /// the rest of the key.</param>
    /// <returns>False if the key was added before.</returns>
    /// <exception cref="InsufficientMemoryException">The maximum of all keys together is reached.</exception>
    public bool Add(ulong hash, ulong head, ReadOnlySpan<ulong> placed, ReadOnlySpan<ulong> open)
    {
        int length = 1 + placed.Length + open.Length;
        int start = keysLength;
        if (start + length > keyWordsMax)
        {
            throw new InsufficientMemoryException(
                $"no verdict after {Count} states; test with more keys, fewer clients, or distinct values");
        }
        if (start + length > keys.Length)
            Array.Resize(ref keys, (int)BitOperations.RoundUpToPowerOf2((uint)(start + length)));
        Span<ulong> key = keys.AsSpan(start, length);
        key[0] = head;
        placed.CopyTo(key[1..]);
        open.CopyTo(key[(1 + placed.Length)..]);

        int slot = (int)hash & (slots.Length - 1);
        for (; slots[slot] != Empty; slot = (slot + 1) & (slots.Length - 1))
        {
            ref readonly Entry entry = ref entries[slots[slot]];
            if (entry.Hash == hash && keys.AsSpan(entry.Start, entry.Length).SequenceEqual(key))
                return false;
        }
        if (Count == entries.Length)
            Array.Resize(ref entries, 2 * Count);
        entries[Count] = new(hash, start, length);
        keysLength += length;
        slots[slot] = Count++;
        if (2 * Count > slots.Length)
            Grow();
        return true;
    }

    private void Grow()
    {
        slots = NewSlots(4 * Count);
        for (int i = 0; i < Count; i++)
        {
            int slot = (int)entries[i].Hash & (slots.Length - 1);
            while (slots[slot] != Empty)
                slot = (slot + 1) & (slots.Length - 1);
            slots[slot] = i;
        }
    }

    private static int[] NewSlots(int atLeast)
    {
        int[] slots = new int[BitOperations.RoundUpToPowerOf2((uint)atLeast)];
        Array.Fill(slots, Empty);
        return slots;
    }
}
