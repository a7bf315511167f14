using RaftFast.Protocol;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node.Snapshots;

/// <summary>
/// One snapshot being taken: a view of the store goes into a file, chunk by chunk. The loop begins and closes the task.
/// In between, one other thread calls <see cref="Step"/> until it returns false.
/// </summary>
internal sealed class SnapshotTask(
    KeyValueStore store, SnapshotStore snapshots, LogPosition position, SnapshotConfiguration configuration,
    ulong nonce)
{
    private readonly StoreView view = store.BeginView();
    private SnapshotWriter? writer;
    private volatile bool isCancelled;

    /// <summary>Position of the last entry that the snapshot covers.</summary>
    public LogPosition Position { get; } = position;

    /// <summary>The store whose state the snapshot holds.</summary>
    public KeyValueStore Store { get; } = store;

    /// <summary>Bytes in the file so far.</summary>
    public long Bytes { get; private set; }

    /// <summary>Entries of the state in the file so far.</summary>
    public long Entries { get; private set; }

    public long EntriesInAll => view.Count;

    public SnapshotTaskStatus Status { get; private set; }

    /// <summary>
    /// Ends the task at its next step: another snapshot has been installed, or the process stops. Any thread.
    /// </summary>
    public void Cancel() => isCancelled = true;

    /// <summary>Writes the next part, which is durable on return.</summary>
    /// <returns>True while there is more to write.</returns>
    public bool Step()
    {
        Invariant.Hold(Status == SnapshotTaskStatus.UnderWay);
        if (isCancelled)
        {
            writer?.GiveUp();
            Status = SnapshotTaskStatus.Cancelled;
            return false;
        }
        if (writer is null)
        {
            writer = snapshots.TryCreate(Position, configuration.ToBytes(), nonce, view.Version);
            Status = writer is null ? SnapshotTaskStatus.DiskFull : SnapshotTaskStatus.UnderWay;
            return writer is not null;
        }
        int length = view.Read(writer.Payload, out int entries, SnapshotChunk.PayloadBytesTypical);
        if (length > 0)
        {
            if (!writer.TryWriteChunk(length, entries))
                Status = SnapshotTaskStatus.DiskFull;
            Bytes = writer.Bytes;
            Entries += entries;
            return Status == SnapshotTaskStatus.UnderWay;
        }
        Status = writer.Complete() switch
        {
            SnapshotPublishStatus.Published => SnapshotTaskStatus.Done,
            SnapshotPublishStatus.Stale => SnapshotTaskStatus.Cancelled,
            _ => SnapshotTaskStatus.DiskFull,
        };
        return false;
    }

    /// <summary>Releases the file and the view of the store. Loop thread, after the last <see cref="Step"/>.</summary>
    public void Close()
    {
        writer?.Dispose();
        view.Dispose();
    }
}

internal enum SnapshotTaskStatus
{
    UnderWay,

    /// <summary>The snapshot is durable, and the newest.</summary>
    Done,

    /// <summary>The disk had no room. Nothing is left of the attempt.</summary>
    DiskFull,

    /// <summary>A newer snapshot has been installed, or the process stops. Nothing is left of the attempt.</summary>
    Cancelled,
}
