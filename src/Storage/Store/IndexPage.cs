using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// An open-addressing hash table of 2 KiB. The first word of 8 bytes is the header; every other word is a bucket.
/// <code>
/// header:  bits 0–15 entries, 16–31 depth (see <see cref="KeyIndex"/>)
/// bucket:  bits 0–44 address of the slot / 8, 45–63 the low 19 bits of the key's hash; 0: empty
/// </code>
/// A colliding entry goes to the next free bucket. Removal closes the gap, so there are no tombstones. The low 8 bits
/// of the hash give an entry's home bucket. A search compares the other eleven bits before it reads a key, and so reads
/// few keys that differ.
/// </summary>
internal readonly unsafe struct IndexPage(ulong* words)
{
    public const int Bytes = PageMemory.PageBytes;

    public const int Words = Bytes / sizeof(ulong);

    /// <summary>
    /// Maximum entries in a page: seven eighths of its words. In a full page, a search for an absent key reads about
    /// thirty adjacent buckets; in a half-full page, a few.
    /// </summary>
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

    /// <summary>The bucket of an entry that has moved to another slot.</summary>
    public static ulong Moved(ulong bucket, Slot slot) => BucketOf(bucket >> AddressBits, slot);

    public void Clear(int depth)
    {
        new Span<ulong>(words, Words).Clear();
        words[0] = (ulong)depth << 16;
    }

    /// <summary>Reads the header and the home bucket of the hash.</summary>
    /// <returns>Entries in the page, plus one if the home bucket is occupied.</returns>
    public int Touch(ulong hash) => Entries + (words[Home(hash << AddressBits)] == 0 ? 0 : 1);

    /// <returns>The key's bucket; null if the page doesn't hold the key.</returns>
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
            // An entry whose home lies between the gap and bucket i stays: a search for it does not pass the gap.
            if (Distance(Home(words[i]), i) < Distance(gap, i))
                continue;
            words[gap] = words[i];
            gap = i;
        }
        words[gap] = 0;
        Entries--;
    }

    /// <summary>Word at which a search for a bucket begins; at least 1, because word 0 is the header.</summary>
    private static int Home(ulong bucket) => Math.Max(1, (int)(bucket >> AddressBits) & (Words - 1));

    private static int Following(int i) => i == Words - 1 ? 1 : i + 1;

    /// <summary>Steps forward from one bucket to another, around the end of the page.</summary>
    private static int Distance(int from, int to) => to >= from ? to - from : to - from + Words - 1;
}
