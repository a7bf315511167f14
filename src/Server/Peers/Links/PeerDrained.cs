using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Links;

/// <summary>The member, for which <see cref="IPeerNetwork.CanSend"/> was false because it was behind, can take bulk again.</summary>
internal sealed class PeerDrained(ulong peer) : InboxSignal
{
    public ulong Peer { get; } = peer;
}
