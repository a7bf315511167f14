using System.Net.Sockets;
using RaftFast.Protocol;

namespace RaftFast.Server.Peers.Handshakes;

/// <summary>What dialling a member came to: a connection with an accepted handshake, a refusal, or a reason why there is neither.</summary>
internal readonly record struct DialResult(NetworkStream? Connection, HandshakeStatus Refusal, string Reason)
{
    public static DialResult Connected(NetworkStream connection) => new(connection, HandshakeStatus.Accepted, "");

    public static DialResult Refused(HandshakeStatus status) => new(null, status, "");

    public static DialResult Failed(string reason) => new(null, HandshakeStatus.Accepted, reason);
}
