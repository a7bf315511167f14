using System.Runtime.InteropServices;
using RaftFast.Protocol;

namespace RaftFast.Storage.Store;

/// <summary>
/// Finds the slot of a key, by extendible hashing (Fagin and others, 1979). A directory, indexed by the low bits of the
/// hash's upper half, refers to pages (<see cref="IndexPage"/>). All keys of a page agree in the lowest N of these
/// bits; N is the page's depth. A full page splits into two by the next bit. A split moves entries of one page,
/// whatever the number of keys. The directory doubles as a whole when it holds only one reference to the page that
/// splits. Doubling copies the references in sequence: 8 bytes for each 150 keys or so.
/// </summary>
internal sealed unsafe class KeyIndex : IDisposable
{
    /// <summary>Maximum depth of the directory, which then has 8 GiB, enough for 150 billion keys.</summary>
    private const int DepthMax = 30;

    /// <summary>
    /// Maximum average number of entries in pages made in advance: five standard deviations below the number at which a
    /// page splits.
    /// </summary>
    private const int EntriesTarget = 160;

    /// <summary>Bytes of a page for each of its entries, at <see cref="EntriesTarget"/>.</summary>
    public const int BytesPerEntry = IndexPage.Bytes / EntriesTarget;

    private readonly SipHash hasher;
    private readonly PageMemory pages;
    private ulong** directory;
    private int depth;

    /// <param name="expectedEntries">Number of entries for which pages are made in advance.</param>
    public KeyIndex(PageMemory pages, SipHash hasher, long expectedEntries = 0)
    {
        this.pages = pages;
        this.hasher = hasher;
        while (depth < DepthMax && expectedEntries >> depth > EntriesTarget)
            depth++;
        directory = (ulong**)NativeMemory.Alloc((nuint)DirectoryBytes);
        for (long i = 0; i < 1L << depth; i++)
            directory[i] = TakePage(depth).Address;
    }

    public long DirectoryBytes => (long)sizeof(ulong*) << depth;

    /// <summary>Entries that were placed again, in the same page or another, because their page split.</summary>
    public long Rehashed { get; private set; }

    public ulong HashOf(ReadOnlySpan<byte> key) => hasher.Hash(key);

    /// <returns>Slot of the key; <see cref="Slot.IsNone"/> if the index doesn't hold the key.</returns>
    public Slot Find(ulong hash, ReadOnlySpan<byte> key)
    {
        ulong* bucket = PageOf(hash).Find(hash, key);
        return bucket is null ? default : IndexPage.SlotIn(*bucket);
    }

    /// <summary>
    /// Brings the words that <see cref="Find"/> and <see cref="Add"/> will read into the cache. Reading all these words
    /// at once lets the cache misses overlap.
    /// </summary>
    public void Touch(ReadOnlySpan<ulong> hashes)
    {
        int met = 0;
        foreach (ulong hash in hashes)
            met += PageOf(hash).Touch(hash);
        Invariant.Hold(met <= hashes.Length * (IndexPage.EntriesMax + 1));
    }

    /// <param name="slot">Slot of a key that is not in the index.</param>
    public void Add(ulong hash, Slot slot)
    {
        while (PageOf(hash).Entries == IndexPage.EntriesMax)
            Split(hash);
        PageOf(hash).Add(IndexPage.BucketOf(hash, slot));
    }

    /// <summary>Makes the key's entry refer to another slot.</summary>
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
        // The keys are scattered over memory. Read a word of each key in advance, so that the cache misses overlap.
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
        // Each place in the directory that refers to the page and has the bit set now refers to the sibling.
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
        IndexPage page = new(pages.Take());
        page.Clear(depth);
        return page;
    }
}
