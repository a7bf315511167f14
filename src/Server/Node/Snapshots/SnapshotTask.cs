using RaftFast.Protocol;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node.Snapshots;

/// <summary>
/// One snapshot in the making: a view of the store goes into a file, chunk by chunk. The loop begins and ends it; between that
/// one other thread calls <see cref="Step"/> until it is over.
/// </summary>
internal sealed class SnapshotTask(
    KeyValueStore store, SnapshotStore snapshots, LogPosition position, SnapshotConfiguration configuration, ulong nonce)
{
    private readonly StoreView view = store.BeginView();
    private SnapshotWriter? writer;
    private volatile bool isCancelled;

    /// <summary>The last entry that it covers.</summary>
    public LogPosition Position { get; } = position;

    /// <summary>Of whose state it is.</summary>
    public KeyValueStore Store { get; } = store;

    /// <summary>Of the file, so far.</summary>
    public long Bytes { get; private set; }

    public SnapshotTaskStatus Status { get; private set; }

    /// <summary>Another snapshot has been installed, or the process stops: this one is worth nothing. Any thread.</summary>
    public void Cancel() => isCancelled = true;

    /// <summary>Writes the next part; durable when it returns.</summary>
    /// <returns>Whether it goes on.</returns>
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
            writer = snapshots.TryCreate(Position, configuration.ToBytes(), nonce);
            Status = writer is null ? SnapshotTaskStatus.DiskFull : SnapshotTaskStatus.UnderWay;
            return writer is not null;
        }
        int length = view.Read(writer.Payload, out int entries, SnapshotChunk.PayloadBytesTypical);
        if (length > 0)
        {
            if (!writer.TryWriteChunk(length, entries))
                Status = SnapshotTaskStatus.DiskFull;
            Bytes = writer.Bytes;
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

    /// <summary>Loop thread, once nobody calls <see cref="Step"/> any more.</summary>
    public void Close()
    {
        writer?.Dispose();
        view.Dispose();
    }
}
