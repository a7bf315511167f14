using RaftFast.Protocol;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Links;

/// <summary>Messages to the member are sent from here on.</summary>
internal sealed class PeerConnected(ulong peer) : InboxSignal
{
    public ulong Peer { get; } = peer;
}

/// <summary>The connection that <see cref="PeerConnected"/> reported has ended; what was on its way may or may not have arrived.</summary>
internal sealed class PeerLost(ulong peer) : InboxSignal
{
    public ulong Peer { get; } = peer;
}

/// <summary>The member, for which <see cref="IPeerNetwork.CanSend"/> was false because it was behind, can take bulk again.</summary>
internal sealed class PeerDrained(ulong peer) : InboxSignal
{
    public ulong Peer { get; } = peer;
}

/// <summary>The peer has dialled this server, and was accepted. Its frames, if any, come after.</summary>
internal sealed class PeerAnnounced(ulong peer) : InboxSignal
{
    private volatile PeerAddress? address;

    public ulong Peer { get; } = peer;

    /// <summary>Where it is to be dialled in turn, as it said last.</summary>
    public PeerAddress Address
    {
        get => address!;
        set => address = value;
    }
}

/// <summary>The peer refuses this server for good.</summary>
internal sealed class PeerRefused(ulong peer, HandshakeStatus status) : InboxSignal
{
    public ulong Peer { get; } = peer;

    /// <summary><see cref="HandshakeStatus.Removed"/> or <see cref="HandshakeStatus.DirectoryReplaced"/>.</summary>
    public HandshakeStatus Status { get; } = status;
}

/// <summary>The snapshot that was being sent to this server has been installed there, or not.</summary>
internal sealed class SnapshotSent(ulong peer) : InboxSignal
{
    public ulong Peer { get; } = peer;

    /// <summary>Up to which entry; 0: it has not.</summary>
    public long Installed { get; set; }
}
