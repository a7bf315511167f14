using RaftFast.Protocol;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Node.Snapshots;

/// <summary>
/// A snapshot from the leader: durable under its temporary name, and loaded into a store. The node decides whether to
/// install it. The network that received the snapshot derives from this class, and waits for the decision in its own
/// way.
/// </summary>
internal abstract class ReceivedSnapshot(
    ulong from, long term, PartialSnapshot file, SnapshotConfiguration configuration, KeyValueStore store)
{
    public ulong From { get; } = from;

    /// <summary>Term in which the leader began to send the snapshot.</summary>
    public long Term { get; } = term;

    /// <summary>The file, complete under its temporary name.</summary>
    public PartialSnapshot File { get; } = file;

    public SnapshotConfiguration Configuration { get; } = configuration;

    /// <summary>
    /// State that was loaded from the file. The node owns it if it installs it; otherwise the receiver disposes of it.
    /// </summary>
    public KeyValueStore Store { get; } = store;

    /// <summary>
    /// Claims the decision: for the node, before it installs the snapshot, or for the receiver, which takes the
    /// snapshot back once the sender is gone. Returns false when the other has claimed it.
    /// </summary>
    public abstract bool TryClaim();

    /// <summary>The node's decision.</summary>
    public abstract void Complete(bool isInstalled);
}
