using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Snapshots;

/// <summary>
/// Puts together a snapshot that another member sends, byte for byte, under a temporary name. What was received outlives the process:
/// the next receiver of the same snapshot goes on behind it. One thread at a time.
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
    private bool isOver;

    private PartialSnapshot(SnapshotStore store, IDisk disk, IDiskFile file, in SnapshotHeader header)
    {
        this.store = store;
        this.disk = disk;
        this.file = file;
        this.header = header;
    }

    /// <summary>The last log entry that the snapshot covers.</summary>
    public LogPosition Position => header.Position;

    /// <summary>Durable: the next one wanted is the one after it.</summary>
    public int Chunks => totals.Chunks;

    public bool IsComplete { get; private set; }

    /// <param name="image">What the sender's file begins with; its header.</param>
    internal static PartialSnapshot? TryOpen(SnapshotStore store, IDisk disk, ReadOnlySpan<byte> image, in SnapshotHeader header)
    {
        if (TryResume(store, disk, image, header) is PartialSnapshot resumed)
            return resumed;
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
        PartialSnapshot receiver = new(store, disk, file, header);
        if (receiver.TryWrite(image))
        {
            disk.SyncDirectory();
            return receiver;
        }
        receiver.Dispose();
        return null;
    }

    /// <param name="image">A chunk or the footer, as <see cref="SnapshotReader.Image"/> had it. A chunk that is there already is passed over.</param>
    public PartialSnapshotStatus Append(ReadOnlySpan<byte> image)
    {
        Invariant.Hold(!isOver);
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

    /// <summary>Once published the snapshot is durable and the store's newest. To be called once it is sure that this member wants it.</summary>
    public SnapshotPublishStatus Publish()
    {
        Invariant.Hold(IsComplete);
        Invariant.Hold(!isOver);
        isOver = true;
        file.Dispose();
        return store.Publish(SnapshotFile.ReceivedName, new SnapshotFile(header.Position.Index));
    }

    /// <summary>All that was received, to be read back and so verified once more. After <see cref="IsComplete"/>, before <see cref="Publish"/>.</summary>
    public SnapshotReader Read()
    {
        Invariant.Hold(IsComplete);
        return new SnapshotReader(disk, SnapshotFile.ReceivedName, header.ClusterId);
    }

    /// <summary>What was received stays.</summary>
    public void Dispose()
    {
        file.Dispose();
        buffer.Dispose();
    }

    private static PartialSnapshot? TryResume(SnapshotStore store, IDisk disk, ReadOnlySpan<byte> image, in SnapshotHeader header)
    {
        if (!disk.Exists(SnapshotFile.ReceivedName))
            return null;
        using SnapshotReader there = new(disk, SnapshotFile.ReceivedName, header.ClusterId);
        if (!there.Image.SequenceEqual(image))
            return null;
        IDiskFile file = disk.Open(SnapshotFile.ReceivedName);
        // The process before this one may have been killed between a write and its sync.
        file.Sync();
        PartialSnapshot receiver = new(store, disk, file, header) { offset = there.End };
        SnapshotReadStatus status;
        while ((status = there.Read()) == SnapshotReadStatus.Chunk)
            receiver.offset = there.End;
        receiver.totals = there.Totals;
        receiver.IsComplete = status == SnapshotReadStatus.End;
        return receiver;
    }

    private bool TryWrite(ReadOnlySpan<byte> image)
    {
        image.CopyTo(buffer.Span);
        if (file.TryWrite(offset, buffer.Span[..image.Length]))
        {
            offset += image.Length;
            return true;
        }
        isOver = true;
        file.Dispose();
        disk.Delete(SnapshotFile.ReceivedName);
        return false;
    }
}
