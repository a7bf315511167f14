using RaftFast.Protocol;

namespace RaftFast.Server.Peers.Links;

/// <summary>Times and bounds of the connections between nodes.</summary>
internal sealed record PeerOptions
{
    /// <summary>
    /// First pause before dialling again. Each further pause is twice as long, less a random part of at most half.
    /// </summary>
    public TimeSpan BackoffMin { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Longest pause before dialling again. After a connection that lived longer than this, the pauses start over at
    /// <see cref="BackoffMin"/>.
    /// </summary>
    public TimeSpan BackoffMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Pause before dialling again an address of <c>--cluster</c> at which no member answers.</summary>
    public TimeSpan WrongHintPause { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Returns the bytes of memory that the process may still take, as far as known. A received snapshot is loaded
    /// beside the present state, so it waits until there is memory for both.
    /// </summary>
    public Func<long> FreeMemory { get; init; } =
        static () => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes - Environment.WorkingSet;

    /// <summary>Time between two checks for free memory.</summary>
    public TimeSpan FreeMemoryPeriod { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time from the first packet to the answered handshake, on either side.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Maximum inbound connections without a complete handshake. A further connection closes the oldest.
    /// </summary>
    public int HandshakesMax { get; init; } = 64;

    /// <summary>
    /// Time that the peer's kernel may take to acknowledge sent bytes before the connection is given up. Without this
    /// limit TCP backs off for up to two minutes, and a healed network would stay cut for as long.
    /// </summary>
    public TimeSpan UnacknowledgedTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Bytes waiting to be sent to a peer at which bulk has to wait. Bulk may continue when half of the bytes are sent.
    /// </summary>
    public int BulkBytesMax { get; init; } = 4 * 1024 * 1024;

    /// <summary>
    /// Bytes waiting to be sent to a peer at which its connection is closed. Bulk takes at most <see
    /// cref="BulkBytesMax"/> and one frame of the largest size; the rest is for small messages. A power of two.
    /// </summary>
    public int SendBytesMax { get; init; } = 8 * 1024 * 1024;

    /// <summary>
    /// First size of each of a peer's two receive buffers. A buffer grows to the largest frame received.
    /// </summary>
    public int ReceiveBytesMin { get; init; } = 64 * 1024;

    /// <summary>Bytes of a snapshot sent to one peer in a second, so that other messages keep their latency.</summary>
    public long SnapshotBytesPerSecond { get; init; } = 64L * 1024 * 1024;

    /// <summary>
    /// Consecutive connections without progress after which a snapshot is given up; the next snapshot will be newer.
    /// These connections and the pauses between them take longer than a restart of the peer.
    /// </summary>
    public int SnapshotAttemptsMax { get; init; } = 10;

    /// <summary>
    /// Time without a part of a received snapshot after which another sender's snapshot is received instead. Longer
    /// than the time of a part at a low rate, and than a sender's pauses before it dials again.
    /// </summary>
    public TimeSpan SnapshotSilenceMax { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Time after which a piece of work on the files of a received snapshot counts as hung, and its connection ends. A
    /// part is a second's work for the slowest disk. Without a connection, the sender holds neither its file nor its
    /// log for this member.
    /// </summary>
    public TimeSpan SnapshotWorkMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Time for which a newer connection waits until the older one has left the files. After that its sender is told to
    /// try again later.
    /// </summary>
    public TimeSpan SnapshotEntryMax { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Pause before the report that the peer receives another snapshot.</summary>
    public TimeSpan SnapshotBusyPause { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Pause from a snapshot's failure until its report, after which another attempt may begin.</summary>
    public TimeSpan SnapshotRetryPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Maximum peers at once: all members that a cluster may have, and as many strangers, which the log doesn't name
    /// yet or no longer names.
    /// </summary>
    public const int PeersMax = 2 * ClusterConfiguration.MembersMax;

    /// <summary>
    /// Maximum items in the inbox for each peer. From the accepting side: two <see cref="Inbound.PeerBatch"/>es,
    /// <see cref="PeerAnnounced"/> and <see cref="PeerAnswersLost"/>. From the dialling side: <see
    /// cref="PeerConnected"/>, <see cref="PeerLost"/>, <see cref="PeerDrained"/>, <see cref="PeerRefused"/> for either
    /// of two reasons, and <see cref="SnapshotSent"/>.
    /// </summary>
    public const int InboxItemsPerPeer = 4 + 6;

    internal static int FrameBytesMax => Frame.HeaderSize + Frame.RecordsBytesMax;
}
