using System.Net;
using System.Net.Sockets;
using RaftFast.Protocol;

namespace RaftFast.Server.Tests.Peers;

/// <summary>A bare socket in the role of a member that dials.</summary>
internal sealed class RawDialer : IDisposable
{
    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
    {
        NoDelay = true,
    };

    public RawDialer(int port)
    {
        socket.Connect(IPAddress.Loopback, port);
        socket.ReceiveTimeout = (int)Eventually.Deadline.TotalMilliseconds;
        socket.SendTimeout = (int)Eventually.Deadline.TotalMilliseconds;
    }

    public Socket Socket => socket;

    public string LocalAddress => socket.LocalEndPoint!.ToString()!;

    public static RawDialer Accepted(Node node, ulong from = 2)
    {
        RawDialer dialer = new(node.Port);
        Assert.Equal(HandshakeStatus.Accepted, dialer.ShakeHands(TestHandshakes.From(from)));
        return dialer;
    }

    public static byte[] Bytes(Handshake handshake)
    {
        byte[] bytes = new byte[Handshake.Size];
        handshake.Write(bytes);
        return bytes;
    }

    public HandshakeStatus ShakeHands(Handshake handshake)
    {
        Send(Bytes(handshake));
        return ReadAnswer();
    }

    public HandshakeStatus ReadAnswer()
    {
        byte[] answer = new byte[Handshake.AnswerSize];
        int length = 0;
        while (length < answer.Length)
        {
            int read = socket.Receive(answer.AsSpan(length));
            Assert.NotEqual(0, read);
            length += read;
        }
        Assert.Equal(DecodeStatus.Complete, Handshake.TryReadAnswer(answer, out HandshakeStatus status));
        return status;
    }

    public void Send(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
            bytes = bytes[socket.Send(bytes)..];
    }

    /// <summary>Waits until the node has closed the connection.</summary>
    public void AssertClosed()
    {
        try
        {
            Assert.Equal(0, socket.Receive(new byte[1]));
        }
        catch (SocketException exception)
        {
            Assert.Equal(SocketError.ConnectionReset, exception.SocketErrorCode);
        }
    }

    public void Dispose() => socket.Dispose();
}
