using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node.Snapshots;

/// <summary>
/// A snapshot from another member: durable, the newest of this member's files, and loaded into a store. The node
/// installs the snapshot, or already has the snapshot's entries. The network that received the snapshot derives from
/// this class, and waits for the decision in its own way.
/// </summary>
internal abstract class ReceivedSnapshot(
    ulong from, LogPosition position, long fileBytes, SnapshotConfiguration configuration, KeyValueStore store)
{
    public ulong From { get; } = from;

    /// <summary>Position of the last log entry that the snapshot covers.</summary>
    public LogPosition Position { get; } = position;

    public long FileBytes { get; } = fileBytes;

    public SnapshotConfiguration Configuration { get; } = configuration;

    /// <summary>State that was loaded from the file, owned by the node.</summary>
    public KeyValueStore Store { get; } = store;

    /// <summary>The node's decision.</summary>
    public abstract void Complete(bool isInstalled);
}
