using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Snapshots;

public enum PartialSnapshotStatus
{
    /// <summary>The part was received; more parts are needed.</summary>
    Incomplete,

    /// <summary>The whole snapshot was received, intact and durable: it can be published.</summary>
    Complete,

    /// <summary>The part is damaged, malformed or out of order. The parts received before stay.</summary>
    Invalid,

    /// <summary>The store has a snapshot of the same entry or a later one.</summary>
    Stale,

    /// <summary>The disk had no room. The received part is deleted.</summary>
    DiskFull,
}

/// <summary>Relation of an offered snapshot to the partial snapshot on the disk.</summary>
public enum PartialSnapshotMatch
{
    /// <summary>There is no partial snapshot.</summary>
    None,

    /// <summary>The partial snapshot is a part of the offered snapshot.</summary>
    Same,

    /// <summary>The partial snapshot is a part of another snapshot.</summary>
    Other,
}

/// <summary>
/// A snapshot that another member sends, received byte for byte under a temporary name. The chunks received outlive the
/// process: if the same snapshot is sent again, receiving continues after them. One thread at a time.
/// </summary>
public sealed class PartialSnapshot : IDisposable
{
    private readonly SnapshotStore store;
    private readonly IDisk disk;
    private readonly IDiskFile file;
    private readonly AlignedMemory buffer = new(SnapshotChunk.BytesMax);
    private readonly SnapshotHeader header;
    private SnapshotFooter totals;
    private long offset;
    private bool hasEnded;

    private PartialSnapshot(SnapshotStore store, IDisk disk, IDiskFile file, in SnapshotHeader header)
    {
        this.store = store;
        this.disk = disk;
        this.file = file;
        this.header = header;
    }

    /// <summary>Position of the last log entry that the snapshot covers.</summary>
    public LogPosition Position => header.Position;

    /// <summary>Number of chunks received and durable. The sender continues after the chunk of this number.</summary>
    public int Chunks => totals.Chunks;

    public bool IsComplete { get; private set; }

    /// <summary>Bytes of the file so far.</summary>
    public long Bytes => offset;

    /// <param name="image">Header of the sender's file, as it is on the sender's disk.</param>
    /// <returns>Null if the disk is full.</returns>
    internal static PartialSnapshot? TryOpen(
        SnapshotStore store, IDisk disk, ReadOnlySpan<byte> image, in SnapshotHeader header, Action? verified)
    {
        if (TryResume(store, disk, image, header, verified) is PartialSnapshot resumed)
            return resumed;
        store.NotePartial(null);
        if (disk.Exists(SnapshotFile.ReceivedName))
            disk.Delete(SnapshotFile.ReceivedName);
        IDiskFile file;
        try
        {
            file = disk.Create(SnapshotFile.ReceivedName, 0);
        }
        catch (DiskFullException)
        {
            return null;
        }
        PartialSnapshot partial = new(store, disk, file, header);
        if (partial.TryWrite(image))
        {
            disk.SyncDirectory();
            store.NotePartial(header.Nonce);
            return partial;
        }
        partial.Close();
        return null;
    }

    /// <summary>Appends a part. A chunk that was received before is ignored.</summary>
    /// <param name="image">Chunk or footer, as <see cref="SnapshotReader.Image"/> gave it to the sender.</param>
    public PartialSnapshotStatus Append(ReadOnlySpan<byte> image)
    {
        Invariant.Hold(!hasEnded);
        if (SnapshotChunk.TryRead(image, header.Salt, out SnapshotChunk chunk) == DecodeStatus.Complete)
        {
            if (image.Length != chunk.BytesOnDisk || chunk.Sequence > totals.Chunks + 1)
                return PartialSnapshotStatus.Invalid;
            if (chunk.Sequence <= totals.Chunks)
                return IsComplete ? PartialSnapshotStatus.Complete : PartialSnapshotStatus.Incomplete;
            if (IsComplete)
                return PartialSnapshotStatus.Invalid;
            if (!TryWrite(image))
                return PartialSnapshotStatus.DiskFull;
            totals = totals.Add(chunk, image);
            return PartialSnapshotStatus.Incomplete;
        }
        if (SnapshotFooter.TryRead(image, header.Salt, out SnapshotFooter footer) != DecodeStatus.Complete)
            return PartialSnapshotStatus.Invalid;
        if (image.Length != SnapshotFooter.BytesOnDisk || footer != totals)
            return PartialSnapshotStatus.Invalid;
        if (!IsComplete && !TryWrite(image))
            return PartialSnapshotStatus.DiskFull;
        IsComplete = true;
        return PartialSnapshotStatus.Complete;
    }

    /// <summary>
    /// Makes the snapshot the newest of the store, and durable. This member may install the snapshot from then on.
    /// After DiskFull the file stays as it is.
    /// </summary>
    public SnapshotPublishStatus Publish()
    {
        Invariant.Hold(IsComplete);
        Invariant.Hold(!hasEnded);
        hasEnded = true;
        file.Dispose();
        return store.Publish(SnapshotFile.ReceivedName, new SnapshotFile(header.Position.Index));
    }

    /// <summary>
    /// Opens the complete file for reading, which verifies all of it again. Called before <see cref="Publish"/>.
    /// </summary>
    public SnapshotReader Read()
    {
        Invariant.Hold(IsComplete);
        return new SnapshotReader(disk, SnapshotFile.ReceivedName, header.ClusterId);
    }

    /// <summary>Closes the file. The chunks received stay on the disk.</summary>
    public void Dispose()
    {
        Close();
        store.EndReceiving();
    }

    private static PartialSnapshot? TryResume(
        SnapshotStore store, IDisk disk, ReadOnlySpan<byte> image, in SnapshotHeader header, Action? verified)
    {
        if (!disk.Exists(SnapshotFile.ReceivedName))
            return null;
        using SnapshotReader existing = new(disk, SnapshotFile.ReceivedName, header.ClusterId);
        if (!existing.Image.SequenceEqual(image))
            return null;
        IDiskFile file = disk.Open(SnapshotFile.ReceivedName);
        // The previous process may have been killed between a write and its sync.
        file.Sync();
        PartialSnapshot partial = new(store, disk, file, header);
        SnapshotReadStatus status = SnapshotReadStatus.Chunk;
        int lastBytes = 0;
        while (existing.Damage is null)
        {
            existing.Image.CopyTo(partial.buffer.Span);
            (lastBytes, partial.offset, partial.totals) = (existing.Image.Length, existing.Offset, existing.Totals);
            if (status == SnapshotReadStatus.End)
                break;
            status = existing.Read();
            verified?.Invoke();
        }
        partial.IsComplete = status == SnapshotReadStatus.End;
        // A part whose sync failed is still read from memory, but may not be on the disk (see WalSegments). Only the
        // last part can be such a part.
        if (partial.TryWrite(partial.buffer.Span[..lastBytes]))
            return partial;
        partial.Close();
        return null;
    }

    private void Close()
    {
        file.Dispose();
        buffer.Dispose();
    }

    private bool TryWrite(ReadOnlySpan<byte> image)
    {
        image.CopyTo(buffer.Span);
        if (file.TryWrite(offset, buffer.Span[..image.Length]))
        {
            offset += image.Length;
            return true;
        }
        hasEnded = true;
        file.Dispose();
        disk.Delete(SnapshotFile.ReceivedName);
        store.NotePartial(null);
        return false;
    }
}
