using System.Net.Sockets;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;

namespace RaftFast.Server.Peers.Handshakes;

/// <summary>
/// Opens one connection to a peer and shakes hands, in <see cref="PeerOptions.HandshakeTimeout"/> altogether.
/// </summary>
internal sealed class PeerDialer(PeerAddress address, Handshake handshake, PeerOptions options)
{
    public async Task<DialResult> DialAsync(CancellationToken stop)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(options.HandshakeTimeout);
        Socket? socket = null;
        DialResult result = default;
        bool wasReached = false;
        try
        {
            // The constructor fails if clients have taken all file descriptors that the process may have.
            socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address.Host, address.Port, deadline.Token);
            wasReached = true;
            // Configure the socket after it is connected: for a name with several addresses, ConnectAsync tries one
            // socket after the other.
            PeerSocket.Configure(socket, options);
            result = await ShakeHandsAsync(new NetworkStream(socket, ownsSocket: true), deadline.Token);
        }
        // The log may name an address that this machine can't try, such as an IPv6 address on a machine without IPv6.
        // The failure must not end the process.
        catch (Exception exception)
            when (PeerSocket.IsConnectionEnd(exception) || exception is NotSupportedException or ArgumentException)
        {
            result = DialResult.Failed(PeerSocket.Reason(exception));
        }
        finally
        {
            if (result.Connection is null)
                socket?.Dispose();
        }
        return result with { WasReached = wasReached };
    }

    private async Task<DialResult> ShakeHandsAsync(NetworkStream stream, CancellationToken deadline)
    {
        byte[] bytes = new byte[Handshake.Size];
        handshake.Write(bytes);
        await stream.WriteAsync(bytes, deadline);
        int length = 0;
        HandshakeStatus answer;
        DecodeStatus status;
        while ((status = Handshake.TryReadAnswer(bytes.AsSpan(0, length), out answer)) == DecodeStatus.Incomplete)
        {
            int read = await stream.ReadAsync(bytes.AsMemory(length, Handshake.AnswerSize - length), deadline);
            if (read == 0)
                return DialResult.Failed("the peer closed the connection during the handshake");
            length += read;
        }
        if (status == DecodeStatus.Invalid)
            return DialResult.Failed("the program at that address does not speak RaftFast's peer protocol");
        return answer == HandshakeStatus.Accepted ? DialResult.Connected(stream) : DialResult.Refused(answer);
    }
}

/// <summary>
/// Outcome of dialling a peer: a connection with an accepted handshake, a refusal, or the reason why there is neither.
/// </summary>
internal readonly record struct DialResult(NetworkStream? Connection, HandshakeStatus Refusal, string Reason)
{
    /// <summary>True if a program listens at the address.</summary>
    public bool WasReached { get; init; }

    public static DialResult Connected(NetworkStream connection) => new(connection, HandshakeStatus.Accepted, "");

    public static DialResult Refused(HandshakeStatus status) => new(null, status, "");

    public static DialResult Failed(string reason) => new(null, HandshakeStatus.Accepted, reason);
}
