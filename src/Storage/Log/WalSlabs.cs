using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Log;

/// <summary>
/// The slabs in use, oldest first, and where in them each log entry stands. Entries in memory are the end of the log, without a gap.
/// Loop thread only.
/// </summary>
internal sealed class WalSlabs : IDisposable
{
    private const int EntriesAtFirst = 1024;

    private readonly int slabBytes;
    private readonly int cacheSlabs;
    private readonly int lagSlabs;
    private readonly Ring<WalSlab> slabs;
    private readonly Ring<Location> locations = new(EntriesAtFirst);
    private readonly Stack<WalSlab> spare;
    private long firstIndex;
    private long released;
    private long replicated;
    private long durableBatch;

    /// <param name="lastIndex">Of the log that is on the disk: none of it is in memory.</param>
    public WalSlabs(int slabBytes, int cacheSlabs, int lagSlabs, long lastIndex)
    {
        this.slabBytes = slabBytes;
        this.cacheSlabs = cacheSlabs;
        this.lagSlabs = lagSlabs;
        slabs = new(cacheSlabs);
        spare = new(cacheSlabs);
        firstIndex = lastIndex + 1;
        Use(new WalSlab(slabBytes), 0);
    }

    public WalSlab Current => slabs.Back;

    public int Count => slabs.Count;

    public bool Holds(long index) => index >= firstIndex;

    /// <summary>Makes another slab current: the oldest if it may go, else a spare or a new one.</summary>
    public void Advance()
    {
        int sequence = Current.Sequence + 1;
        if (slabs.Count >= cacheSlabs && MayGo(slabs[0]))
            Use(Retire(), sequence);
        else if (spare.TryPop(out WalSlab? slab))
            Use(slab, sequence);
        else
            Use(new WalSlab(slabBytes), sequence);
    }

    public void Add(long index, int offset, int length)
    {
        Invariant.Hold(index == firstIndex + locations.Count);
        Current.Add(index);
        locations.PushBack(new Location(Current.Sequence, offset, length));
    }

    public void Truncate(long index)
    {
        Invariant.Hold(index > released);
        while (locations.Count > 0 && firstIndex + locations.Count > index)
            locations.PopBack();
        firstIndex = Math.Min(firstIndex, index);
        for (int i = 0; i < slabs.Count; i++)
            slabs[i].Truncate(index);
    }

    /// <summary>The log is empty and goes on behind <paramref name="index"/>. What the writer has yet to write stays as it is.</summary>
    public void Reset(long index)
    {
        locations.Clear();
        firstIndex = index + 1;
        released = index;
        for (int i = 0; i < slabs.Count; i++)
            slabs[i].Truncate(1);
    }

    /// <summary>As many records from <paramref name="first"/> on as stand together.</summary>
    public ReadOnlySpan<byte> Read(long first, long last, int bytesMax, out int count)
    {
        int at = (int)(first - firstIndex);
        Location start = locations[at];
        int end = start.Offset + start.Length;
        for (count = 1; first + count <= last; count++)
        {
            Location next = locations[at + count];
            if (next.Slab != start.Slab || next.Offset != end || end + next.Length - start.Offset > bytesMax)
                break;
            end += next.Length;
        }
        return slabs[start.Slab - slabs[0].Sequence].Memory.Span[start.Offset..end];
    }

    /// <summary>As many records from <paramref name="first"/> on as fit, at least one, wherever they stand.</summary>
    /// <returns>Their bytes.</returns>
    public int Measure(long first, long last, int bytesMax, out int count)
    {
        int at = (int)(first - firstIndex);
        int bytes = locations[at].Length;
        for (count = 1; first + count <= last; count++)
        {
            int next = locations[at + count].Length;
            if (bytes + next > bytesMax)
                break;
            bytes += next;
        }
        return bytes;
    }

    public void Release(long index, long replicated)
    {
        released = Math.Max(released, index);
        this.replicated = replicated;
        Trim();
    }

    public void Completed(long batch)
    {
        durableBatch = batch;
        Trim();
    }

    public void Dispose()
    {
        for (int i = 0; i < slabs.Count; i++)
            slabs[i].Dispose();
        foreach (WalSlab slab in spare)
            slab.Dispose();
    }

    private bool MayGo(WalSlab slab) => slab.LastBatch <= durableBatch && (slab.IsEmpty || MayGo(slab.LastIndex));

    private bool MayGo(long index) => index <= released && (index <= replicated || slabs.Count > lagSlabs);

    /// <summary>After a backlog: back to the cache's size, and as much again in reserve for the next one.</summary>
    private void Trim()
    {
        while (slabs.Count > cacheSlabs && MayGo(slabs[0]))
        {
            WalSlab slab = Retire();
            if (spare.Count < cacheSlabs)
                spare.Push(slab);
            else
                slab.Dispose();
        }
    }

    private WalSlab Retire()
    {
        WalSlab slab = slabs.PopFront();
        for (; !slab.IsEmpty && firstIndex <= slab.LastIndex; firstIndex++)
        {
            Location location = locations.PopFront();
            Invariant.Hold(location.Slab == slab.Sequence);
        }
        return slab;
    }

    private void Use(WalSlab slab, int sequence)
    {
        slab.Reuse(sequence);
        slabs.PushBack(slab);
    }

    private readonly record struct Location(int Slab, int Offset, int Length);
}
