using RaftFast.Protocol;

namespace RaftFast.Storage.Log;

/// <summary>
/// Places of the log's entries on the disk. Adjacent batches share an extent up to <see cref="ExtentBytes"/>, so memory
/// grows with the log's bytes, not with the number of syncs. Loop thread only.
/// </summary>
internal sealed class WalExtents
{
    /// <summary>Bytes at which an extent takes no more batches. A gigabyte of log takes 4,096 extents.</summary>
    public const int ExtentBytes = 256 << 10;

    private const int ExtentsAtFirst = 1024;

    private readonly List<WalExtent> extents = new(ExtentsAtFirst);

    /// <summary>
    /// Entries without a place yet. These entries are bounded as the batches of <see cref="WalQueue"/>.
    /// </summary>
    private readonly Ring<Unplaced> unplaced = new(ExtentsAtFirst);

    public int Count => extents.Count;

    /// <summary>Adds an entry of a batch that has no place on the disk yet.</summary>
    /// <param name="offset">Offset of the record from the beginning of the batch.</param>
    /// <param name="leading">True for the first log entry of the batch.</param>
    public void Add(long batch, long index, int offset, bool leading)
    {
        if (unplaced.Count > 0 && unplaced.Back.Batch == batch && unplaced.Back.Last + 1 == index && !unplaced.Back.Cut)
            unplaced.Back.Last = index;
        else
        {
            unplaced.PushBack(
                new Unplaced { Batch = batch, First = index, Last = index, Offset = offset, Leading = leading });
        }
    }

    /// <summary>
    /// Removes entries from <paramref name="index"/> on. Later entries on the disk begin a new extent.
    /// </summary>
    public void Truncate(long index)
    {
        while (unplaced.Count > 0 && unplaced.Back.First >= index)
            unplaced.PopBack();
        if (unplaced.Count > 0 && unplaced.Back.Last >= index)
        {
            unplaced.Back.Last = index - 1;
            unplaced.Back.Cut = true;
        }
        while (extents.Count > 0 && extents[^1].First >= index)
            extents.RemoveAt(extents.Count - 1);
        if (extents.Count > 0 && extents[^1].Last >= index)
            extents[^1] = extents[^1] with { Last = index - 1, End = WalExtent.Closed };
    }

    /// <summary>Drops extents whose entries all have indexes up to <paramref name="index"/>.</summary>
    public void Forget(long index)
    {
        int count = 0;
        while (count < extents.Count && extents[count].Last <= index)
            count++;
        extents.RemoveRange(0, count);
    }

    /// <summary>Removes all entries, with and without a place.</summary>
    public void Clear()
    {
        extents.Clear();
        unplaced.Clear();
    }

    /// <summary>Gives the entries of a batch their place on the disk. The caller passes all batches in order.</summary>
    /// <param name="entries">Log entries in the batch, truncated entries included.</param>
    public void Place(long batch, int entries, long segment, int offset, int bytes)
    {
        if (entries == 0 && extents.Count > 0 && extents[^1].IsFollowedBy(segment, offset))
            extents[^1] = extents[^1] with { End = offset + bytes };
        while (unplaced.Count > 0 && unplaced[0].Batch == batch)
        {
            Unplaced next = unplaced.PopFront();
            int end = next.Cut ? WalExtent.Closed : offset + bytes;
            if (next.Leading && extents.Count > 0 && extents[^1].IsFollowedBy(segment, offset)
                && extents[^1].Last + 1 == next.First && offset - extents[^1].BatchOffset < ExtentBytes)
            {
                extents[^1] = extents[^1] with { Last = next.Last, End = end };
            }
            else
            {
                extents.Add(new WalExtent(
                    next.First, next.Last, segment, offset, offset + next.Offset, end, next.Leading));
            }
        }
        Invariant.Hold(unplaced.Count == 0 || unplaced[0].Batch > batch);
    }

    /// <summary>
    /// Finds the extent that holds an entry, and joins up to <paramref name="bytes"/> of the extents that continue it.
    /// </summary>
    public WalExtent Find(long index, int bytes = 0)
    {
        int at = IndexOf(index);
        WalExtent extent = extents[at];
        int end = extent.End + bytes;
        while (++at < extents.Count && extent.End < end && extents[at].Continues(extent))
            extent = extent with { Last = extents[at].Last, End = extents[at].End };
        return extent;
    }

    private int IndexOf(long index)
    {
        int low = 0;
        int high = extents.Count - 1;
        while (low < high)
        {
            int middle = (low + high + 1) / 2;
            if (extents[middle].First <= index)
                low = middle;
            else
                high = middle - 1;
        }
        Invariant.Hold(extents.Count > 0);
        Invariant.Hold(extents[low].First <= index && index <= extents[low].Last);
        return low;
    }

    private struct Unplaced
    {
        public long Batch;
        public long First;
        public long Last;
        public int Offset;
        public bool Leading;

        /// <summary>True if truncated entries follow in the batch.</summary>
        public bool Cut;
    }
}

/// <summary>
/// Consecutive log entries in one segment, with nothing but batch headers, hard states and padding between their
/// records.
/// </summary>
/// <param name="BatchOffset">Offset of the batch that holds the first record.</param>
/// <param name="RecordOffset">Offset of the first record.</param>
/// <param name="End">
/// Offset at which the next batch would be adjacent, or <see cref="Closed"/> if truncated entries follow and no batch
/// may be added.
/// </param>
/// <param name="IsLeading">True if the first record is the first log entry of its batch.</param>
internal readonly record struct WalExtent(
    long First, long Last, long Segment, int BatchOffset, int RecordOffset, int End, bool IsLeading)
{
    /// <summary>No batch begins at this offset: the segment's header is there.</summary>
    public const int Closed = 0;

    public bool IsFollowedBy(long segment, int offset) => Segment == segment && End == offset;

    /// <summary>True if nothing but headers and padding is between the entries of the other extent and these.</summary>
    public bool Continues(in WalExtent other) =>
        IsLeading && other.IsFollowedBy(Segment, BatchOffset) && other.Last + 1 == First;

    /// <summary>
    /// True if a record at this offset is one of the extent's. False for every offset of a closed extent, whose end is
    /// not known.
    /// </summary>
    public bool Holds(long segment, int offset) => Segment == segment && RecordOffset <= offset && offset < End;
}
