using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Simulation.Disk;

/// <summary>
/// Bytes of a file, in pages. A page is allocated at its first write, because a preallocated segment is mostly zeros. A
/// write is durable at once, as with O_DSYNC, unless a crash tears it or its sync fails.
/// </summary>
internal sealed class SimulatedFile(SimulatedDisk disk, long length, bool isLog)
{
    private const int PageBytes = IDisk.Alignment;

    private byte[]?[] pages = new byte[]?[(length + PageBytes - 1) / PageBytes];

    public long Length { get; private set; } = length;

    /// <summary>True for a present, former or future segment of the log.</summary>
    public bool IsLog => isLog;

    public IDiskFile Open() => new Handle(disk, this);

    public void Truncate(long bytes)
    {
        Length = bytes;
        for (long page = bytes / PageBytes; page < pages.Length; page++)
        {
            if (pages[page] is byte[] data)
                data.AsSpan((int)Math.Max(0, bytes - page * PageBytes)).Clear();
        }
    }

    /// <summary>Page that begins at <paramref name="offset"/>, for writing.</summary>
    public Span<byte> Page(long offset)
    {
        Invariant.Hold(offset % PageBytes == 0);
        return pages[offset / PageBytes] ??= new byte[PageBytes];
    }

    private int Read(long offset, Span<byte> destination)
    {
        Invariant.Hold(offset % PageBytes == 0);
        int count = (int)Math.Clamp(Length - offset, 0, destination.Length);
        for (int done = 0; done < count; done += PageBytes)
        {
            Span<byte> target = destination.Slice(done, Math.Min(PageBytes, count - done));
            if (pages[(offset + done) / PageBytes] is byte[] page)
                page.AsSpan(0, target.Length).CopyTo(target);
            else
                target.Clear();
        }
        return count;
    }

    private void Grow(long bytes)
    {
        if (bytes <= Length)
            return;
        Array.Resize(ref pages, (int)((bytes + PageBytes - 1) / PageBytes));
        Length = bytes;
    }

    private sealed class Handle(SimulatedDisk disk, SimulatedFile file) : IDiskFile
    {
        public long Length => file.Length;

        public int Read(long offset, Span<byte> destination)
        {
            int count = file.Read(offset, destination);
            disk.Read(file, offset, destination[..count]);
            return count;
        }

        public void Write(long offset, ReadOnlySpan<byte> data)
        {
            Invariant.Hold(data.Length % PageBytes == 0);
            file.Grow(offset + data.Length);
            disk.Write(file, offset, data);
        }

        public bool TryWrite(long offset, ReadOnlySpan<byte> data)
        {
            if (offset + data.Length > file.Length && !disk.HasRoom())
                return false;
            Write(offset, data);
            return true;
        }

        public void Sync()
        {
        }

        public void Dispose()
        {
        }
    }
}
