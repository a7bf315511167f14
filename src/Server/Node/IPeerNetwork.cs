using RaftFast.Protocol;

namespace RaftFast.Server.Node;

/// <summary>
/// The network as the executor of a Ready sees it; a seam, because the simulator has its own. All calls come from the loop thread.
/// Like any network it may lose what it was given, never reorder it between two members, and never damage it unnoticed.
/// </summary>
public interface IPeerNetwork
{
    /// <summary>Connected, and not behind with bulk: appends and forwards wait while false, small messages don't.</summary>
    bool CanSend(ulong peer);

    /// <summary>Writes one frame, to be sent by the next <see cref="Flush"/>.</summary>
    /// <param name="message">To says where.</param>
    /// <param name="records">Copied before the call returns.</param>
    /// <returns>False when there is no connection: the message is lost.</returns>
    bool Send(in Message message, ReadOnlySpan<byte> records);

    /// <summary>Writes the header of a frame whose records come in several runs.</summary>
    /// <returns>False when there is no connection: then no <see cref="Write"/> follows.</returns>
    bool Begin(in Message message, int recordsLength);

    /// <summary>Continues the frame begun for <paramref name="peer"/>: exactly its records' length in one or more calls.</summary>
    void Write(ulong peer, ReadOnlySpan<byte> records);

    /// <summary>
    /// Begins to send the newest snapshot, on a connection of its own; <see cref="RaftNode.OnSnapshotSent"/> is told how it ended.
    /// </summary>
    /// <param name="term">Of the leader that sends it.</param>
    /// <returns>False when it can't be begun now: no connection, or one is under way.</returns>
    bool SendSnapshot(ulong peer, long term);

    /// <summary>The last entry of the oldest snapshot that is being sent; MaxValue when none is.</summary>
    long OldestSnapshotBeingSent { get; }

    /// <summary>Sends what was written since the last call; one wake-up a peer at most.</summary>
    void Flush();

    /// <summary>
    /// Never within a frame. Members of either configuration can be sent to; the effective one says where they are, until they say
    /// otherwise (<see cref="Announced"/>). Who was in one of them and is no more can't be sent to. Who is removed in
    /// <paramref name="committed"/> is cut off, and told so whenever it dials. Costs nothing with the configurations of the last call.
    /// </summary>
    /// <param name="effective">The last in the log.</param>
    /// <param name="committed">The last that is known to be committed.</param>
    void Configure(ClusterConfiguration effective, ClusterConfiguration committed);

    /// <summary>
    /// Never within a frame. A server dialled this one and said where it is to be dialled in turn. So it is from here on, a stranger
    /// to the configurations too, until a configuration gives it another address than the last one did.
    /// </summary>
    void Announced(ulong peer, PeerAddress address);
}
