using System.Runtime.InteropServices;
using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// Finds the slot of a key. Extendible hashing (Fagin and others, 1979): a directory, indexed by the low bits of the hash's upper
/// half, leads to a page (<see cref="IndexPage"/>). A page that is full splits into two by the next bit, its depth, and no other
/// entry moves: growth costs an insertion one page at most, however many keys there are. Only the directory doubles as a whole,
/// when a page splits that has an entry of its own in it: 8 bytes for some 150 keys, copied in sequence.
/// </summary>
internal sealed unsafe class KeyIndex : IDisposable
{
    /// <summary>A directory of 8 GiB, for 150 billion keys.</summary>
    private const int DepthMax = 30;

    /// <summary>Of a page that is there before its entries: the most at which, five standard deviations up, it need not split yet.</summary>
    private const int EntriesLikely = 160;

    private readonly SipHash hasher;
    private readonly SlabMemory memory;
    private ulong** directory;
    private int depth;
    private ulong* freshPages;
    private int freshPagesLeft;

    /// <param name="entries">So many are likely to come: their pages are there from the beginning.</param>
    public KeyIndex(SlabMemory memory, SipHash hasher, long entries = 0)
    {
        this.memory = memory;
        this.hasher = hasher;
        while (depth < DepthMax && entries >> depth > EntriesLikely)
            depth++;
        directory = (ulong**)NativeMemory.Alloc((nuint)DirectoryBytes);
        for (long i = 0; i < 1L << depth; i++)
            directory[i] = TakePage(depth).Address;
    }

    public long DirectoryBytes => (long)sizeof(ulong*) << depth;

    /// <summary>Entries that have changed their page, or their place in it, because pages were full.</summary>
    public long Rehashed { get; private set; }

    public ulong HashOf(ReadOnlySpan<byte> key) => hasher.Hash(key);

    /// <returns>The slot of the key; none if there is none.</returns>
    public Slot Find(ulong hash, ReadOnlySpan<byte> key)
    {
        ulong* bucket = PageOf(hash).Find(hash, key);
        return bucket is null ? default : IndexPage.SlotIn(*bucket);
    }

    /// <summary>Brings what <see cref="Find"/> and <see cref="Add"/> will look at into the cache: read all at once, the misses overlap.</summary>
    public void Touch(ReadOnlySpan<ulong> hashes)
    {
        int met = 0;
        foreach (ulong hash in hashes)
            met += PageOf(hash).Touch(hash);
        Invariant.Hold(met <= hashes.Length * (IndexPage.EntriesMax + 1));
    }

    /// <param name="slot">Of a key that is not in the index.</param>
    public void Add(ulong hash, Slot slot)
    {
        while (PageOf(hash).Entries == IndexPage.EntriesMax)
            Split(hash);
        PageOf(hash).Add(IndexPage.BucketOf(hash, slot));
    }

    /// <summary>The entry of a key has moved to another slot.</summary>
    public void Replace(ulong hash, ReadOnlySpan<byte> key, Slot slot)
    {
        ulong* bucket = PageOf(hash).Find(hash, key);
        Invariant.Hold(bucket is not null);
        *bucket = IndexPage.Moved(*bucket, slot);
    }

    public void Remove(ulong hash, ReadOnlySpan<byte> key)
    {
        IndexPage page = PageOf(hash);
        ulong* bucket = page.Find(hash, key);
        Invariant.Hold(bucket is not null);
        page.Remove(bucket);
    }

    public void Dispose()
    {
        NativeMemory.Free(directory);
        directory = null;
    }

    private IndexPage PageOf(ulong hash) => new(directory[(hash >> 32) & ((1UL << depth) - 1)]);

    private void Split(ulong hash)
    {
        IndexPage page = PageOf(hash);
        int split = page.Depth;
        if (split == depth)
            DoubleDirectory();
        ulong* buckets = stackalloc ulong[IndexPage.Words];
        new Span<ulong>(page.Address, IndexPage.Words).CopyTo(new Span<ulong>(buckets, IndexPage.Words));
        // The keys lie all over the memory. Reading a word of each before any is needed lets the cache misses overlap.
        long keyBytes = 0;
        for (int i = 1; i < IndexPage.Words; i++)
            keyBytes += buckets[i] == 0 ? 0 : IndexPage.SlotIn(buckets[i]).KeyLength;
        Invariant.Hold(keyBytes >= page.Entries);
        IndexPage sibling = TakePage(split + 1);
        page.Clear(split + 1);
        for (int i = 1; i < IndexPage.Words; i++)
        {
            if (buckets[i] == 0)
                continue;
            ulong moving = hasher.Hash(IndexPage.SlotIn(buckets[i]).Key);
            bool isUpper = ((moving >> 32 >> split) & 1) != 0;
            (isUpper ? sibling : page).Add(buckets[i]);
            Rehashed++;
        }
        // All places in the directory that led to the page and have the bit.
        ulong step = 1UL << split;
        for (ulong i = ((hash >> 32) & (step - 1)) + step; i < 1UL << depth; i += 2 * step)
            directory[i] = sibling.Address;
    }

    private void DoubleDirectory()
    {
        Invariant.Hold(depth < DepthMax);
        nuint bytes = (nuint)DirectoryBytes;
        directory = (ulong**)NativeMemory.Realloc(directory, 2 * bytes);
        NativeMemory.Copy(directory, (byte*)directory + bytes, bytes);
        depth++;
    }

    private IndexPage TakePage(int depth)
    {
        if (freshPagesLeft == 0)
        {
            freshPages = (ulong*)memory.TakeSlab();
            freshPagesLeft = SlabMemory.SlabBytes / IndexPage.Bytes;
        }
        IndexPage page = new(freshPages);
        freshPages += IndexPage.Words;
        freshPagesLeft--;
        page.Clear(depth);
        return page;
    }
}
