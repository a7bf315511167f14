using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Snapshots;

public enum SnapshotPublishStatus
{
    /// <summary>The snapshot is durable, and the newest.</summary>
    Published,

    /// <summary>The store has a snapshot of the same entry or a later one. This snapshot is deleted.</summary>
    Stale,

    /// <summary>The disk had no room. Nothing is left of a snapshot that this member took.</summary>
    DiskFull,
}

/// <summary>
/// Writes a snapshot, chunk by chunk, under a temporary name. The snapshot counts only after <see cref="Complete"/> has
/// published it. If the disk is full, the writer deletes the file, and can't be used any further. One thread at a time.
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
    private bool hasEnded;

    private SnapshotWriter(IDisk disk, string name, IDiskFile file, Func<SnapshotPublishStatus> publish)
    {
        this.disk = disk;
        this.name = name;
        this.file = file;
        this.publish = publish;
    }

    /// <summary>Buffer for the next chunk's payload. The buffer's contents are undefined.</summary>
    public Span<byte> Payload => buffer.Span.Slice(SnapshotChunk.HeaderSize, SnapshotChunk.PayloadBytesMax);

    /// <summary>Bytes written so far.</summary>
    public long Bytes => offset;

    /// <summary>Entries written so far.</summary>
    public long Entries => totals.Entries;

    /// <param name="name">Temporary name. A file with this name is deleted first.</param>
    /// <param name="publish">Gives the complete file its final name.</param>
    /// <returns>Null if the disk is full.</returns>
    internal static SnapshotWriter? TryCreate(
        IDisk disk, string name, ulong clusterId, ulong nonce, LogPosition position, bool isBackup,
        ReadOnlySpan<byte> configuration, int version, Func<SnapshotPublishStatus> publish)
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
        writer.header = SnapshotHeader.Write(
            writer.buffer.Span, clusterId, nonce, position, isBackup, configuration, version);
        if (writer.TryWrite(writer.header.BytesOnDisk))
            return writer;
        writer.Dispose();
        return null;
    }

    /// <summary>Writes the chunk in <see cref="Payload"/>, which is durable when the call returns.</summary>
    /// <returns>False if the disk is full. The file is then deleted.</returns>
    public bool TryWriteChunk(int payloadLength, int entries)
    {
        SnapshotChunk chunk = SnapshotChunk.Write(buffer.Span, header.Salt, totals.Chunks + 1, payloadLength, entries);
        totals = totals.Add(chunk, buffer.Span);
        return TryWrite(chunk.BytesOnDisk);
    }

    /// <summary>
    /// Writes the footer and publishes the snapshot. A member's snapshot is then the newest of its store, which keeps
    /// the last two.
    /// </summary>
    public SnapshotPublishStatus Complete()
    {
        totals.Write(buffer.Span, header.Salt);
        if (!TryWrite(SnapshotFooter.BytesOnDisk))
            return SnapshotPublishStatus.DiskFull;
        hasEnded = true;
        file.Dispose();
        SnapshotPublishStatus status = publish();
        if (status == SnapshotPublishStatus.DiskFull)
            disk.Delete(name);
        return status;
    }

    /// <summary>Ends the attempt, and deletes the file.</summary>
    public void GiveUp()
    {
        Invariant.Hold(!hasEnded);
        hasEnded = true;
        file.Dispose();
        disk.Delete(name);
    }

    /// <summary>
    /// Closes the file. An incomplete file is deleted when the next attempt begins, or the store is opened again.
    /// </summary>
    public void Dispose()
    {
        file.Dispose();
        buffer.Dispose();
    }

    private bool TryWrite(int bytes)
    {
        Invariant.Hold(!hasEnded);
        if (!file.TryWrite(offset, buffer.Span[..bytes]))
        {
            GiveUp();
            return false;
        }
        offset += bytes;
        return true;
    }
}
