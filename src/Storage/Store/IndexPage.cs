using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// An open-addressing hash table of 2 KiB: words of 8 bytes, of which the first is the header and each other one a bucket.
/// <code>
/// header:  bits 0–15 entries, 16–31 depth (see <see cref="KeyIndex"/>)
/// bucket:  bits 0–44 address of the slot / 8, 45–63 the low 19 bits of the key's hash; 0: empty
/// </code>
/// Collisions go to the next free bucket, and removal closes the gap, so there are no tombstones. The low 8 bits of the hash say
/// where an entry belongs; the other eleven in the bucket keep a search from reading keys that differ.
/// </summary>
internal readonly unsafe struct IndexPage(ulong* words)
{
    public const int Words = 256;

    public const int Bytes = Words * sizeof(ulong);

    /// <summary>Seven eighths: a search for what isn't there then looks at some thirty neighbouring buckets, and at a few in a page half full.</summary>
    public const int EntriesMax = Words / 8 * 7;

    private const int AddressBits = 45;

    public ulong* Address => words;

    public int Entries
    {
        get => (ushort)words[0];
        private set => words[0] = words[0] & ~0xffffUL | (uint)value;
    }

    public int Depth => (ushort)(words[0] >> 16);

    public static Slot SlotIn(ulong bucket) => new((byte*)((bucket & ((1UL << AddressBits) - 1)) << 3));

    public static ulong BucketOf(ulong hash, Slot slot)
    {
        ulong address = (ulong)slot.Address >> 3;
        // User space ends at 2^47 on x64 and at 2^48 on arm64.
        Invariant.Hold(address >> AddressBits == 0);
        return hash << AddressBits | address;
    }

    /// <summary>The same bucket, for an entry that has moved.</summary>
    public static ulong Moved(ulong bucket, Slot slot) => BucketOf(bucket >> AddressBits, slot);

    public void Clear(int depth)
    {
        new Span<ulong>(words, Words).Clear();
        words[0] = (ulong)depth << 16;
    }

    /// <summary>Reads the header, and where a search for the hash begins.</summary>
    /// <returns>Entries, and one more if the search meets one at once.</returns>
    public int Touch(ulong hash) => Entries + (words[Home(hash << AddressBits)] == 0 ? 0 : 1);

    /// <returns>The key's bucket, or null.</returns>
    public ulong* Find(ulong hash, ReadOnlySpan<byte> key)
    {
        ulong wanted = hash << AddressBits;
        for (int i = Home(wanted); words[i] != 0; i = Following(i))
        {
            if ((words[i] ^ wanted) >> AddressBits == 0 && SlotIn(words[i]).Key.SequenceEqual(key))
                return words + i;
        }
        return null;
    }

    public void Add(ulong bucket)
    {
        int entries = Entries;
        Invariant.Hold(entries < EntriesMax);
        int i = Home(bucket);
        while (words[i] != 0)
            i = Following(i);
        words[i] = bucket;
        Entries = entries + 1;
    }

    public void Remove(ulong* bucket)
    {
        int gap = (int)(bucket - words);
        for (int i = Following(gap); words[i] != 0; i = Following(i))
        {
            // What belongs between the gap and here stays: a search for it doesn't pass the gap.
            if (Distance(Home(words[i]), i) < Distance(gap, i))
                continue;
            words[gap] = words[i];
            gap = i;
        }
        words[gap] = 0;
        Entries--;
    }

    /// <summary>Where the search for a bucket begins: the first word is none.</summary>
    private static int Home(ulong bucket) => Math.Max(1, (int)(bucket >> AddressBits) & (Words - 1));

    private static int Following(int i) => i == Words - 1 ? 1 : i + 1;

    /// <summary>Steps from one bucket on to another.</summary>
    private static int Distance(int from, int to) => to >= from ? to - from : to - from + Words - 1;
}
