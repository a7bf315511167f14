namespace RaftFast.Server.Peers;

/// <summary>Messages to the member are sent from here on.</summary>
internal sealed class PeerConnected(ulong peer) : InboxSignal
{
    public ulong Peer { get; } = peer;
}
