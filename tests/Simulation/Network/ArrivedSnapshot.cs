using RaftFast.Server.Node.Snapshots;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Simulation.Network;

/// <summary>A received snapshot that keeps the node's decision.</summary>
internal sealed class ArrivedSnapshot(
    ulong from, long term, PartialSnapshot file, SnapshotConfiguration configuration, KeyValueStore store)
    : ReceivedSnapshot(from, term, file, configuration, store)
{
    private bool isClaimed;

    /// <summary>The node's decision; null until it has decided.</summary>
    public bool? IsInstalled { get; private set; }

    public override bool TryClaim() => !isClaimed && (isClaimed = true);

    public override void Complete(bool isInstalled) => IsInstalled ??= isInstalled;
}
