using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Simulation.Network;
using RaftFast.Storage.Log;

namespace RaftFast.Simulation.Servers;

/// <summary>An item in a server's inbox.</summary>
internal readonly record struct Input(InputKind Kind)
{
    public FrameInFlight Frame { get; init; }

    public WalBatch Batch { get; init; }

    public ClientRequest? Request { get; init; }

    public ulong Peer { get; init; }

    public PeerAddress? Address { get; init; }

    public HandshakeStatus Status { get; init; }

    public SnapshotTask? Task { get; init; }

    public ReceivedSnapshot? Received { get; init; }

    public FollowerRead? Read { get; init; }

    /// <summary>Index of the snapshot that the peer has installed; 0 if the transfer failed.</summary>
    public long Installed { get; init; }
}

internal enum InputKind : byte
{
    Tick,
    Frame,

    /// <summary>A batch is on stable storage.</summary>
    BatchDurable,

    /// <summary>A request of a client or of the operator.</summary>
    Request,

    /// <summary>The connection to a peer is open.</summary>
    Connected,

    /// <summary>The connection to a peer is lost.</summary>
    Lost,

    /// <summary>The connection that a peer had dialled is lost.</summary>
    AnswersLost,

    /// <summary>A peer has dialled this server and announced its address.</summary>
    Announced,

    /// <summary>A peer has refused this server's connection.</summary>
    Refused,

    /// <summary>Entries that a follower needs have been read.</summary>
    EntriesRead,

    SnapshotTaken,
    SnapshotReceived,

    /// <summary>The transfer of a snapshot to a peer has ended.</summary>
    SnapshotSent,
}
