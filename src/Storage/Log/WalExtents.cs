using RaftFast.Protocol;

namespace RaftFast.Storage.Log;

/// <summary>
/// Where on the disk the log's entries are. Extents of batches that stand together are one, up to a bound, so that memory grows with the
/// log's bytes and not with the number of syncs. Loop thread only.
/// </summary>
internal sealed class WalExtents
{
    /// <summary>Bytes of a extent, to which another batch may still be added. A gigabyte of log takes 4,096 extents.</summary>
    public const int RunBytes = 256 << 10;

    private const int RunsAtFirst = 1024;

    private readonly List<WalExtent> extents = new(RunsAtFirst);
    private readonly Ring<Unplaced> unplaced = new(RunsAtFirst);

    public int Count => extents.Count;

    /// <summary>An entry was appended to a batch that has no place on the disk yet.</summary>
    /// <param name="offset">From the batch's beginning.</param>
    /// <param name="leading">No log entry stands before it in the batch.</param>
    public void Add(long batch, long index, int offset, bool leading)
    {
        if (unplaced.Count > 0 && unplaced.Back.Batch == batch && unplaced.Back.Last + 1 == index && !unplaced.Back.Cut)
            unplaced.Back.Last = index;
        else
            unplaced.PushBack(new Unplaced { Batch = batch, First = index, Last = index, Offset = offset, Leading = leading });
    }

    /// <summary>Entries from <paramref name="index"/> on are no longer in the log. What follows them on the disk begins a new extent.</summary>
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

    /// <summary>Entries up to <paramref name="index"/> are no longer kept.</summary>
    public void Forget(long index)
    {
        int count = 0;
        while (count < extents.Count && extents[count].Last <= index)
            count++;
        extents.RemoveRange(0, count);
    }

    /// <summary>No entry is kept, nor any that has no place yet.</summary>
    public void Clear()
    {
        extents.Clear();
        unplaced.Clear();
    }

    /// <summary>A batch is on the disk. Called in the order of batches.</summary>
    /// <param name="entries">Log entries in it, truncated ones too.</param>
    public void Place(long batch, int entries, long segment, int offset, int bytes)
    {
        if (entries == 0 && extents.Count > 0 && extents[^1].IsFollowedBy(segment, offset))
            extents[^1] = extents[^1] with { End = offset + bytes };
        while (unplaced.Count > 0 && unplaced[0].Batch == batch)
        {
            Unplaced next = unplaced.PopFront();
            int end = next.Cut ? WalExtent.Closed : offset + bytes;
            if (next.Leading && extents.Count > 0 && extents[^1].IsFollowedBy(segment, offset)
                && extents[^1].Last + 1 == next.First && offset - extents[^1].BatchOffset < RunBytes)
            {
                extents[^1] = extents[^1] with { Last = next.Last, End = end };
            }
            else
            {
                extents.Add(new WalExtent(next.First, next.Last, segment, offset, offset + next.Offset, end));
            }
        }
        Invariant.Hold(unplaced.Count == 0 || unplaced[0].Batch > batch);
    }

    /// <summary>The extent that holds an entry on the disk.</summary>
    public WalExtent Find(long index)
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
        return extents[low];
    }

    private struct Unplaced
    {
        public long Batch;
        public long First;
        public long Last;
        public int Offset;
        public bool Leading;

        /// <summary>Truncated entries follow it in its batch.</summary>
        public bool Cut;
    }
}
