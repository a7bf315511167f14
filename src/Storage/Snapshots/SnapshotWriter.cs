using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Snapshots;

/// <summary>
/// Takes a snapshot, a chunk at a time, under a temporary name; it counts once <see cref="Complete"/> has published it. When the
/// disk is full the attempt is over, and nothing is left of it. One thread at a time.
/// </summary>
public sealed class SnapshotWriter : IDisposable
{
    private readonly IDisk disk;
    private readonly string name;
    private readonly Func<SnapshotPublishStatus> publish;
    private readonly IDiskFile file;
    private readonly AlignedMemory buffer = new(SnapshotChunk.BytesMax);
    private SnapshotHeader header;
    private SnapshotFooter totals;
    private long offset;
    private bool isOver;

    private SnapshotWriter(IDisk disk, string name, IDiskFile file, Func<SnapshotPublishStatus> publish)
    {
        this.disk = disk;
        this.name = name;
        this.file = file;
        this.publish = publish;
    }

    /// <summary>Where the next chunk's payload is to be put. Its contents are undefined.</summary>
    public Span<byte> Payload => buffer.Span.Slice(SnapshotChunk.HeaderSize, SnapshotChunk.PayloadBytesMax);

    /// <summary>Written so far.</summary>
    public long Bytes => offset;

    /// <summary>Written so far.</summary>
    public long Entries => totals.Entries;

    /// <param name="name">The temporary one. What is there under it is deleted.</param>
    /// <param name="publish">Gives the complete file the name under which it counts.</param>
    /// <returns>Null if the disk is full.</returns>
    internal static SnapshotWriter? TryCreate(
        IDisk disk, string name, ulong clusterId, ulong nonce, LogPosition position, bool isBackup, ReadOnlySpan<byte> configuration,
        Func<SnapshotPublishStatus> publish)
    {
        if (disk.Exists(name))
            disk.Delete(name);
        IDiskFile file;
        try
        {
            file = disk.Create(name, 0);
        }
        catch (DiskFullException)
        {
            return null;
        }
        SnapshotWriter writer = new(disk, name, file, publish);
        writer.header = SnapshotHeader.Write(writer.buffer.Span, clusterId, nonce, position, isBackup, configuration);
        if (writer.TryWrite(writer.header.BytesOnDisk))
            return writer;
        writer.Dispose();
        return null;
    }

    /// <summary>Writes the chunk in <see cref="Payload"/>; durable when this returns.</summary>
    /// <returns>False if the disk is full: the attempt is over.</returns>
    public bool TryWriteChunk(int payloadLength, int entries)
    {
        SnapshotChunk chunk = SnapshotChunk.Write(buffer.Span, header.Salt, totals.Chunks + 1, payloadLength, entries);
        totals = totals.Add(chunk, buffer.Span);
        return TryWrite(chunk.BytesOnDisk);
    }

    /// <summary>All has been written. A member's snapshot is its store's newest once published, and older ones than the last two are gone.</summary>
    public SnapshotPublishStatus Complete()
    {
        totals.Write(buffer.Span, header.Salt);
        if (!TryWrite(SnapshotFooter.BytesOnDisk))
            return SnapshotPublishStatus.DiskFull;
        isOver = true;
        file.Dispose();
        return publish();
    }

    /// <summary>The attempt is over, and nothing is left of it.</summary>
    public void GiveUp()
    {
        Invariant.Hold(!isOver);
        isOver = true;
        file.Dispose();
        disk.Delete(name);
    }

    /// <summary>Changes nothing on the disk: what there is of an attempt that is not over is deleted when the next begins, or the store is opened.</summary>
    public void Dispose()
    {
        file.Dispose();
        buffer.Dispose();
    }

    private bool TryWrite(int bytes)
    {
        Invariant.Hold(!isOver);
        if (!file.TryWrite(offset, buffer.Span[..bytes]))
        {
            GiveUp();
            return false;
        }
        offset += bytes;
        return true;
    }
}
