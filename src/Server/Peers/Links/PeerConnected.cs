using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Links;

/// <summary>Messages to the member are sent from here on.</summary>
internal sealed class PeerConnected(ulong peer) : InboxSignal
{
    public ulong Peer { get; } = peer;
}
