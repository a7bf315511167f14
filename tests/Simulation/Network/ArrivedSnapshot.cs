using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Simulation.Network;

/// <summary>A received snapshot that keeps the node's decision.</summary>
internal sealed class ArrivedSnapshot(
    ulong from, LogPosition position, long fileBytes, SnapshotConfiguration configuration, KeyValueStore store)
    : ReceivedSnapshot(from, position, fileBytes, configuration, store)
{
    /// <summary>The node's decision; null until it has decided.</summary>
    public bool? IsInstalled { get; private set; }

    public override void Complete(bool isInstalled) => IsInstalled ??= isInstalled;
}
