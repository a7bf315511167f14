using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Links;

/// <summary>The connection that <see cref="PeerConnected"/> reported has ended; what was on its way may or may not have arrived.</summary>
internal sealed class PeerLost(ulong peer) : InboxSignal
{
    public ulong Peer { get; } = peer;
}
