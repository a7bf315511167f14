using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;

namespace RaftFast.Server.Peers.Links;

/// <summary>All log lines about peer connections: one line for each change, never a stack trace.</summary>
internal static partial class PeerLogLines
{
    [LoggerMessage(1, LogLevel.Information, "member {Peer} at {Address} is reachable")]
    public static partial void Reachable(ILogger logger, ulong peer, PeerAddress address);

    [LoggerMessage(2, LogLevel.Warning, "member {Peer} at {Address} is unreachable: {Reason}")]
    public static partial void Unreachable(ILogger logger, ulong peer, PeerAddress address, string reason);

    [LoggerMessage(3, LogLevel.Warning, "member {Peer} at {Address} refused the handshake: {Status}")]
    public static partial void RefusedBy(ILogger logger, ulong peer, PeerAddress address, HandshakeStatus status);

    [LoggerMessage(
        4, LogLevel.Warning,
        "refused a peer connection from {Remote}: {Status}; the peer claims to be member {From} "
        + "of cluster {ClusterId:x16}, version {Version}, and asks for member {To}")]
    public static partial void Refused(
        ILogger logger, EndPoint? remote, HandshakeStatus status, ulong from, ulong clusterId, uint version, ulong to);

    [LoggerMessage(5, LogLevel.Warning, "dropped a peer connection from {Remote}: {Reason}")]
    public static partial void NoHandshake(ILogger logger, EndPoint? remote, string reason);

    [LoggerMessage(6, LogLevel.Warning, "dropped the connection of member {Peer} from {Remote}: {Reason}")]
    public static partial void Malformed(ILogger logger, ulong peer, EndPoint? remote, string reason);

    [LoggerMessage(
        7, LogLevel.Warning,
        "can't accept member {Peer} yet: no room to record the id of its data directory: {Reason}; free some space")]
    public static partial void CannotRemember(ILogger logger, ulong peer, string reason);

    [LoggerMessage(8, LogLevel.Information, "sending the snapshot up to entry {Index} to member {Peer}")]
    public static partial void SnapshotBegins(ILogger logger, long index, ulong peer);

    [LoggerMessage(
        9, LogLevel.Information,
        "sent the snapshot up to entry {Index} to member {Peer}: {Status}, {Bytes} bytes in {Seconds:F1} s")]
    public static partial void SnapshotEnds(
        ILogger logger, long index, ulong peer, InstallStatus status, long bytes, double seconds);

    [LoggerMessage(
        10, LogLevel.Warning,
        "gave up sending the snapshot up to entry {Index} to member {Peer}: {Reason}, {Bytes} bytes in {Seconds:F1} s")]
    public static partial void SnapshotFails(
        ILogger logger, long index, ulong peer, string reason, long bytes, double seconds);

    [LoggerMessage(
        11, LogLevel.Warning,
        "the connection with the snapshot up to entry {Index} to member {Peer} broke after chunk {Chunk}: {Reason}")]
    public static partial void SnapshotBreaks(ILogger logger, long index, ulong peer, int chunk, string reason);

    [LoggerMessage(12, LogLevel.Error, "can't send a snapshot to member {Peer}: {Damage}")]
    public static partial void SnapshotDamaged(ILogger logger, ulong peer, string damage);

    [LoggerMessage(
        13, LogLevel.Information, "receiving the snapshot up to entry {Index} from member {Peer}, after chunk {Chunk}")]
    public static partial void SnapshotComes(ILogger logger, long index, ulong peer, int chunk);

    [LoggerMessage(14, LogLevel.Warning, "dropped a snapshot from member {Peer}: {Reason}")]
    public static partial void SnapshotRejected(ILogger logger, ulong peer, string reason);

    [LoggerMessage(
        15, LogLevel.Warning,
        "the snapshot from member {Peer} needs {Needed} bytes of memory beside the present state, and {Free} are free: "
        + "it waits; give this node more memory, or free some")]
    public static partial void SnapshotLacksMemory(ILogger logger, ulong peer, long needed, long free);

    [LoggerMessage(
        16, LogLevel.Debug,
        "member {Peer} receives another snapshot: the one up to entry {Index} is offered again later")]
    public static partial void SnapshotWaits(ILogger logger, long index, ulong peer);

    [LoggerMessage(
        17, LogLevel.Warning,
        "no member of this cluster answers at {Address}, which --cluster names: {Reason}; correct --cluster if a "
        + "member should be there")]
    public static partial void HintIsWrong(ILogger logger, PeerAddress address, string reason);

    [LoggerMessage(
        18, LogLevel.Information,
        "a snapshot of member {Peer} is put off, and offered again later: {Reason}")]
    public static partial void SnapshotIsPutOff(ILogger logger, ulong peer, string reason);

    [LoggerMessage(
        19, LogLevel.Warning,
        "the disk does not answer: a write of the snapshot from member {Peer} has not returned, and no snapshot is "
        + "received meanwhile; check the disk")]
    public static partial void SnapshotWorkHangs(ILogger logger, ulong peer);

    [LoggerMessage(
        20, LogLevel.Information,
        "the disk answers again: the write of the snapshot from member {Peer} has returned")]
    public static partial void SnapshotWorkReturns(ILogger logger, ulong peer);
}
