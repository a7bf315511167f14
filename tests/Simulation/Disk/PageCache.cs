using RaftFast.Simulation.Reports;
using RaftFast.Storage.Disk;

namespace RaftFast.Simulation.Disk;

/// <summary>
/// Pages whose sync has failed, as Linux treats them: they are read from memory, count as written, and no later sync
/// writes them. What the disk itself holds in their place is unknown. A kernel that needs memory drops some of them,
/// and a power loss drops all.
/// </summary>
internal sealed class PageCache(SeededRandom random, Counters counters)
{
    private const int PageBytes = IDisk.Alignment;

    private readonly List<(SimulatedFile File, long Offset, byte[] Bytes)> pages = [];

    /// <summary>Keeps the pages of a write whose sync has failed.</summary>
    public void Keep(SimulatedFile file, long offset, ReadOnlySpan<byte> data)
    {
        Forget(file, offset, data.Length);
        for (int done = 0; done < data.Length; done += PageBytes)
            pages.Add((file, offset + done, data.Slice(done, PageBytes).ToArray()));
    }

    /// <summary>A write has reached the disk: memory and disk hold the same bytes in its place.</summary>
    public void Wrote(SimulatedFile file, long offset, ReadOnlySpan<byte> data)
    {
        foreach ((SimulatedFile cached, long at, byte[] bytes) in pages)
        {
            bool isInPlace = cached == file && at >= offset && at < offset + data.Length;
            if (isInPlace && data.Slice((int)(at - offset), PageBytes).SequenceEqual(bytes))
                counters[Counter.CachedPagesRewritten]++;
        }
        Forget(file, offset, data.Length);
    }

    /// <summary>Replaces the disk's bytes by those in memory, where memory has others.</summary>
    public void Read(SimulatedFile file, long offset, Span<byte> destination)
    {
        foreach ((SimulatedFile cached, long at, byte[] bytes) in pages)
        {
            if (cached == file && at >= offset && at < offset + destination.Length)
            {
                Span<byte> target = destination[(int)(at - offset)..];
                bytes.AsSpan(0, Math.Min(PageBytes, target.Length)).CopyTo(target);
            }
        }
    }

    /// <summary>Drops some pages, as a kernel that needs memory does.</summary>
    public void Shrink()
    {
        if (random.OneIn(4))
            pages.RemoveAll(_ => random.OneIn(2));
    }

    public void Clear() => pages.Clear();

    private void Forget(SimulatedFile file, long offset, int length)
    {
        if (pages.Count > 0)
            pages.RemoveAll(page => page.File == file && page.Offset >= offset && page.Offset < offset + length);
    }
}
