using RaftFast.Protocol;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Links;

/// <summary>The peer refuses this server for good.</summary>
internal sealed class PeerRefused(ulong peer, HandshakeStatus status) : InboxSignal
{
    public ulong Peer { get; } = peer;

    /// <summary><see cref="HandshakeStatus.Removed"/> or <see cref="HandshakeStatus.DirectoryReplaced"/>.</summary>
    public HandshakeStatus Status { get; } = status;
}
