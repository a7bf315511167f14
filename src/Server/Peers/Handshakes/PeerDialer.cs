using System.Net.Sockets;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;

namespace RaftFast.Server.Peers.Handshakes;

/// <summary>Opens one connection to a member and shakes hands, within <see cref="PeerOptions.HandshakeTimeout"/> altogether.</summary>
internal sealed class PeerDialer(PeerAddress address, Handshake handshake, PeerOptions options)
{
    public async Task<DialResult> DialAsync(CancellationToken stop)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(options.HandshakeTimeout);
        Socket? socket = null;
        DialResult result = default;
        try
        {
            // Fails too, when clients have taken all the file descriptors that the process may have.
            socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            await socket.ConnectAsync(address.Host, address.Port, deadline.Token);
            // Not before: a name with several addresses is tried with one socket after the other.
            PeerSocket.Configure(socket, options);
            result = await ShakeHandsAsync(new NetworkStream(socket, ownsSocket: true), deadline.Token);
        }
        // An address in the log may be one that this machine can't even try (IPv6 without IPv6): that ends nobody.
        catch (Exception exception) when (PeerSocket.IsConnectionEnd(exception) || exception is NotSupportedException or ArgumentException)
        {
            result = DialResult.Failed(PeerSocket.Reason(exception));
        }
        finally
        {
            if (result.Connection is null)
                socket?.Dispose();
        }
        return result;
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
                return DialResult.Failed("it closed the connection during the handshake");
            length += read;
        }
        if (status == DecodeStatus.Invalid)
            return DialResult.Failed("what answers there does not speak RaftFast's peer protocol");
        return answer == HandshakeStatus.Accepted ? DialResult.Connected(stream) : DialResult.Refused(answer);
    }
}

/// <summary>What dialling a member came to: a connection with an accepted handshake, a refusal, or a reason why there is neither.</summary>
internal readonly record struct DialResult(NetworkStream? Connection, HandshakeStatus Refusal, string Reason)
{
    public static DialResult Connected(NetworkStream connection) => new(connection, HandshakeStatus.Accepted, "");

    public static DialResult Refused(HandshakeStatus status) => new(null, status, "");

    public static DialResult Failed(string reason) => new(null, HandshakeStatus.Accepted, reason);
}
