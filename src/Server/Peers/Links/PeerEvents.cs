using RaftFast.Protocol;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Links;

/// <summary>A connection to the peer is open: from now on messages to the peer are sent.</summary>
internal sealed class PeerConnected(ulong peer) : InboxSignal
{
    public ulong Peer { get; } = peer;
}

/// <summary>
/// The connection that <see cref="PeerConnected"/> reported has ended. Messages that were on their way may or may not
/// have arrived.
/// </summary>
internal sealed class PeerLost(ulong peer) : InboxSignal
{
    public ulong Peer { get; } = peer;
}

/// <summary>
/// A connection that the peer had dialled has ended. Answers that were on their way may be lost. The signal comes after
/// all frames of that connection, and before those of the next one.
/// </summary>
/// <param name="taken">Set each time when the loop takes the signal.</param>
internal sealed class PeerAnswersLost(ulong peer, WakeSignal taken) : InboxSignal
{
    public ulong Peer { get; } = peer;

    internal override void EndWaiting()
    {
        base.EndWaiting();
        taken.Set();
    }
}

/// <summary>
/// The peer can take bulk again: <see cref="Node.IPeerNetwork.CanSend"/> was false because too many bytes waited to be
/// sent.
/// </summary>
internal sealed class PeerDrained(ulong peer) : InboxSignal
{
    public ulong Peer { get; } = peer;
}

/// <summary>The peer has dialled this node and was accepted. The peer's frames, if any, come after.</summary>
internal sealed class PeerAnnounced(ulong peer) : InboxSignal
{
    private volatile PeerAddress? address;

    public ulong Peer { get; } = peer;

    /// <summary>Address at which the peer listens, from its last handshake.</summary>
    public PeerAddress Address
    {
        get => address!;
        set => address = value;
    }

    /// <summary>Version of commands that the peer applies, from its last handshake.</summary>
    public int CommandVersion { get; set; }
}

/// <summary>The peer refuses this node, and every later handshake of this node.</summary>
internal sealed class PeerRefused(ulong peer, HandshakeStatus status) : InboxSignal
{
    public ulong Peer { get; } = peer;

    /// <summary><see cref="HandshakeStatus.Removed"/> or <see cref="HandshakeStatus.DirectoryReplaced"/>.</summary>
    public HandshakeStatus Status { get; } = status;
}

/// <summary>The sending of a snapshot to the peer has ended.</summary>
internal sealed class SnapshotSent(ulong peer) : InboxSignal
{
    public ulong Peer { get; } = peer;

    /// <summary>Index of the last entry that the peer now has from the snapshot; 0 if the sending failed.</summary>
    public long Installed { get; set; }
}
