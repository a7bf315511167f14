using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Links;

/// <summary>The snapshot that was being sent to this server has been installed there, or not.</summary>
internal sealed class SnapshotSent(ulong peer) : InboxSignal
{
    public ulong Peer { get; } = peer;

    /// <summary>Up to which entry; 0: it has not.</summary>
    public long Installed { get; set; }
}
