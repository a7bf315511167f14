using RaftFast.Protocol;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Links;

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
