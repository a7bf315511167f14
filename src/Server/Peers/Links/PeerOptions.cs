using RaftFast.Protocol;

namespace RaftFast.Server.Peers.Links;

/// <summary>Times and bounds of the peer transport.</summary>
internal sealed record PeerOptions
{
    /// <summary>First pause before dialling again; each further one is twice as long, less up to half of it at random.</summary>
    public TimeSpan BackoffMin { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>Longest pause. A connection that lived longer than this starts over at <see cref="BackoffMin"/>.</summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>From the first packet to the answered handshake, on either side.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How long sent bytes may stay unacknowledged by the other kernel before the connection is given up. Without it TCP
    /// backs off up to two minutes, and a healed network would stay cut for as long.
    /// </summary>
    public TimeSpan UnacknowledgedTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes waiting to be sent to a member at which bulk has to wait; it may go on when half of them are sent.</summary>
    public int BulkBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// Bytes waiting to be sent to a member at which it is cut off: bulk up to its bound, the one largest frame that crosses
    /// it, and as much again for small messages. A power of two.
    /// </summary>
    public int SendBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>First size of each of a member's two receive buffers; grows to the largest frame met.</summary>
    public int ReceiveBytesMin { get; init; } = 64 * 1024;

    /// <summary>Of a snapshot to one member, so that what is on its way besides keeps its latency.</summary>
    public long SnapshotBytesPerSecond { get; init; } = 64L * 1024 * 1024;

    /// <summary>
    /// Connections in a row that bring a snapshot no further, before it is given up; the next one will be newer. With the pauses
    /// between them, longer than a restart of the member.
    /// </summary>
    public int SnapshotAttemptsMax { get; init; } = 10;

    /// <summary>From a snapshot's failure until it is reported, and with that may be tried again.</summary>
    public TimeSpan SnapshotRetryPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Other servers at once: all members that a cluster may have, and as many that the log doesn't name, or no longer.</summary>
    public const int PeersMax = 2 * ClusterConfiguration.MembersMax;

    /// <summary>
    /// Items in the inbox for each other server: of the accepting side its two batches and that it was introduced; of the dialling
    /// side connected, lost, drained, refused for either of two reasons, and that a snapshot was sent.
    /// </summary>
    public const int InboxItemsPerPeer = 3 + 6;

    internal static int FrameBytesMax => Frame.HeaderSize + Frame.RecordsBytesMax;
}
