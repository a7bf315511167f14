using RaftFast.Protocol;

namespace RaftFast.Storage.Log;

/// <summary>
/// The buffers in use, oldest first, and the location of each log entry in memory. The entries in memory are the end of
/// the log, without a gap. Loop thread only.
/// <para>
/// Bound: <see cref="WalOptions.CacheBuffers"/>, or <see cref="WalOptions.LagBuffers"/> while other members need older
/// entries. Buffers of entries that are not yet durable and applied always stay; <see cref="Wal.HasRoom"/> and the
/// core's bound on uncommitted bytes limit them. In addition there are at most <see cref="WalOptions.CacheBuffers"/>
/// spare buffers. While nothing is written, two buffers stay (<see cref="Shrink"/>).
/// </para>
/// </summary>
internal sealed class WalBuffers : IDisposable
{
    private const int EntriesAtFirst = 1024;

    /// <summary>Buffers that stay while nothing is written.</summary>
    private const int IdleBuffers = 2;

    private readonly int bufferBytes;
    private readonly int cacheBuffers;
    private readonly int lagBuffers;
    private readonly Ring<WalBuffer> buffers;
    private readonly Ring<Location> locations = new(EntriesAtFirst);
    private readonly Stack<WalBuffer> spare;
    private long firstIndex;
    private long released;
    private long replicated;
    private long durableBatch;

    /// <param name="lastIndex">Index of the last entry on the disk. No entry is in memory yet.</param>
    public WalBuffers(int bufferBytes, int cacheBuffers, int lagBuffers, long lastIndex)
    {
        this.bufferBytes = bufferBytes;
        this.cacheBuffers = cacheBuffers;
        this.lagBuffers = lagBuffers;
        buffers = new(cacheBuffers);
        spare = new(cacheBuffers);
        firstIndex = lastIndex + 1;
        Use(new WalBuffer(bufferBytes), 0);
    }

    public WalBuffer Current => buffers.Back;

    public int Count => buffers.Count;

    public bool Holds(long index) => index >= firstIndex;

    /// <summary>
    /// Makes another buffer current: the oldest if its entries may leave memory, else a spare or a new buffer.
    /// </summary>
    public void Advance()
    {
        int sequence = Current.Sequence + 1;
        if (buffers.Count >= cacheBuffers && MayGo(buffers[0]))
            Use(Retire(), sequence);
        else if (spare.TryPop(out WalBuffer? buffer))
            Use(buffer, sequence);
        else
            Use(new WalBuffer(bufferBytes), sequence);
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
        for (int i = 0; i < buffers.Count; i++)
            buffers[i].Truncate(index);
    }

    /// <summary>
    /// Empties the log, which continues after <paramref name="index"/>. Bytes of batches that the writer thread has not
    /// written stay unchanged.
    /// </summary>
    public void Reset(long index)
    {
        locations.Clear();
        firstIndex = index + 1;
        released = index;
        for (int i = 0; i < buffers.Count; i++)
            buffers[i].Truncate(1);
    }

    /// <summary>Contiguous records from <paramref name="first"/> on.</summary>
    public ReadOnlySpan<byte> Read(long first, long last, int bytesMax, out int count)
    {
        int at = (int)(first - firstIndex);
        Location start = locations[at];
        int end = start.Offset + start.Length;
        for (count = 1; first + count <= last; count++)
        {
            Location next = locations[at + count];
            if (next.Buffer != start.Buffer || next.Offset != end || end + next.Length - start.Offset > bytesMax)
                break;
            end += next.Length;
        }
        return buffers[start.Buffer - buffers[0].Sequence].Memory.Span[start.Offset..end];
    }

    /// <summary>
    /// Counts the records from <paramref name="first"/> on that fit, at least one, contiguous or not.
    /// </summary>
    /// <returns>Bytes of these records.</returns>
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

    /// <summary>Gives back the memory of a burst: no spare buffer and at most two others stay.</summary>
    public void Shrink()
    {
        while (spare.TryPop(out WalBuffer? buffer))
            buffer.Dispose();
        while (buffers.Count > IdleBuffers && MayGo(buffers[0]))
            Retire().Dispose();
    }

    public void Dispose()
    {
        for (int i = 0; i < buffers.Count; i++)
            buffers[i].Dispose();
        foreach (WalBuffer buffer in spare)
            buffer.Dispose();
    }

    private bool MayGo(WalBuffer buffer) =>
        buffer.LastBatch <= durableBatch && (buffer.IsEmpty || MayGo(buffer.LastIndex));

    private bool MayGo(long index) => index <= released && (index <= replicated || buffers.Count > lagBuffers);

    /// <summary>
    /// Shrinks to the cache's size after a backlog, and keeps the same number of spare buffers for the next backlog.
    /// </summary>
    private void Trim()
    {
        while (buffers.Count > cacheBuffers && MayGo(buffers[0]))
        {
            WalBuffer buffer = Retire();
            if (spare.Count < cacheBuffers)
                spare.Push(buffer);
            else
                buffer.Dispose();
        }
    }

    private WalBuffer Retire()
    {
        WalBuffer buffer = buffers.PopFront();
        for (; !buffer.IsEmpty && firstIndex <= buffer.LastIndex; firstIndex++)
        {
            Location location = locations.PopFront();
            Invariant.Hold(location.Buffer == buffer.Sequence);
        }
        return buffer;
    }

    private void Use(WalBuffer buffer, int sequence)
    {
        buffer.Reuse(sequence);
        buffers.PushBack(buffer);
    }

    private readonly record struct Location(int Buffer, int Offset, int Length);
}
