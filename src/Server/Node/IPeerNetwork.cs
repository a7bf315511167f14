using RaftFast.Protocol;

namespace RaftFast.Server.Node;

/// <summary>
/// Network to the other members, as the node sees it; a seam, because the simulator has its own. All calls come from
/// the loop. Frames may be lost, as on any network. Frames between two members are never reordered, and never damaged
/// unnoticed.
/// </summary>
internal interface IPeerNetwork
{
    /// <summary>
    /// True while <paramref name="peer"/> is connected and has room for bulk. Appends and forwards wait while false;
    /// small messages don't.
    /// </summary>
    bool CanSend(ulong peer);

    /// <summary>Writes one frame, to be sent by the next <see cref="Flush"/>.</summary>
    /// <param name="message">The message; To names the receiver.</param>
    /// <param name="records">Copied before the call returns.</param>
    /// <returns>False when there is no connection: the message is lost.</returns>
    bool Send(in Message message, ReadOnlySpan<byte> records);

    /// <summary>Writes the header of a frame whose records follow in several calls of <see cref="Write"/>.</summary>
    /// <returns>False when there is no connection: then no <see cref="Write"/> may follow.</returns>
    bool Begin(in Message message, int recordsLength);

    /// <summary>
    /// Continues the frame begun for <paramref name="peer"/>: all calls together give exactly the length of the frame's
    /// records.
    /// </summary>
    void Write(ulong peer, ReadOnlySpan<byte> records);

    /// <summary>
    /// Begins to send the newest snapshot, on a connection of its own. If a snapshot that was begun in an earlier term
    /// is still being sent, continues it. <see cref="RaftNode.OnSnapshotSent"/> learns how the sending ended.
    /// </summary>
    /// <param name="term">The term in which this member leads.</param>
    /// <returns>
    /// False when sending can't begin now: there is no connection, or another snapshot is being sent to this peer.
    /// </returns>
    bool SendSnapshot(ulong peer, long term);

    /// <summary>Index of the last entry in the oldest snapshot that is being sent; MaxValue when none is.</summary>
    long OldestSnapshotBeingSent { get; }

    /// <summary>Sends what was written since the last call, with at most one wake-up for each peer.</summary>
    void Flush();

    /// <summary>
    /// Sets the configurations; never called within a frame. Frames can be sent to the members of a configuration that
    /// names this node, and to strangers that have dialled it. The effective configuration gives members' addresses,
    /// until the members announce others (<see cref="Announced"/>). Nodes that <paramref name="committed"/> names as
    /// removed are disconnected, and told so whenever they dial. A call with the same configurations as the last one
    /// costs nothing.
    /// </summary>
    /// <param name="effective">The last configuration in the log.</param>
    /// <param name="committed">The last configuration that is known to be committed.</param>
    void Configure(ClusterConfiguration effective, ClusterConfiguration committed);

    /// <summary>
    /// A peer has dialled this member and announced its own address; never called within a frame. The peer, even a
    /// stranger, is dialled there from now on. A configuration that changes the peer's address replaces the announced
    /// address.
    /// </summary>
    void Announced(ulong peer, PeerAddress address);
}
