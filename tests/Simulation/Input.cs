using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Simulation.Network;
using RaftFast.Storage.Log;

namespace RaftFast.Simulation;

/// <summary>An item in a server's inbox.</summary>
internal readonly record struct Input(EventKind Kind)
{
    public FrameInFlight Frame { get; init; }

    public WalBatch Batch { get; init; }

    public ClientRequest? Request { get; init; }

    public ulong Peer { get; init; }

    public PeerAddress? Address { get; init; }

    public HandshakeStatus Status { get; init; }

    public SnapshotTask? Task { get; init; }

    public ReceivedSnapshot? Received { get; init; }

    public long Installed { get; init; }
}
