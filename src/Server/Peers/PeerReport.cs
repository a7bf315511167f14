namespace RaftFast.Server.Peers;

/// <summary>The connections with one peer at one moment.</summary>
/// <param name="IsConnected">True while this node is connected to the peer.</param>
/// <param name="SendBytes">Bytes that wait to be sent.</param>
/// <param name="SendBytesMax">Bytes at which the connection is closed.</param>
/// <param name="ReceiveBytes">Bytes of the buffers for the peer's frames.</param>
/// <param name="SnapshotIndex">Last entry of the snapshot being sent; 0 if none is.</param>
/// <param name="SnapshotBytes">Bytes of that snapshot that were sent.</param>
internal sealed record PeerReport(
    ulong Peer, bool IsConnected, long SendBytes, long SendBytesMax, long ReceiveBytes, long SnapshotIndex,
    long SnapshotBytes);
