using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Peers.Snapshots;

/// <summary>
/// A received snapshot that the connection's thread offers to the loop. The thread waits for the loop's decision.
/// </summary>
internal sealed class OfferedSnapshot(
    ulong from, LogPosition position, long fileBytes, SnapshotConfiguration configuration, KeyValueStore store)
    : ReceivedSnapshot(from, position, fileBytes, configuration, store)
{
    private readonly TaskCompletionSource<bool> decision = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>True if the node has installed the snapshot. Complete once the node has decided.</summary>
    public Task<bool> Decision => decision.Task;

    public override void Complete(bool isInstalled) => decision.TrySetResult(isInstalled);
}
