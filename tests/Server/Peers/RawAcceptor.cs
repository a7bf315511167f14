using System.Net;
using System.Net.Sockets;
using RaftFast.Protocol;

namespace RaftFast.Server.Tests.Peers;

/// <summary>A bare listening socket in the role of the member that is dialled. The test controls every byte.</summary>
internal sealed class RawAcceptor : IDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

    public RawAcceptor()
    {
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
    }

    public int Port => ((IPEndPoint)listener.LocalEndPoint!).Port;

    public PeerAddress Address => new("127.0.0.1", Port);

    /// <summary>
    /// Accepts the next connection, and reads and verifies its handshake from member 1 to member 2, without an answer.
    /// </summary>
    public Socket Accept(ConnectionKind kind = ConnectionKind.Messages)
    {
        Assert.True(listener.Poll(Eventually.Deadline, SelectMode.SelectRead), "no peer dialled");
        Socket socket = listener.Accept();
        socket.ReceiveTimeout = (int)Eventually.Deadline.TotalMilliseconds;
        byte[] bytes = Receive(socket, Handshake.Size);
        Assert.Equal(DecodeStatus.Complete, Handshake.TryRead(bytes, out Handshake handshake, out uint version));
        Assert.Equal(Handshake.Version, version);
        Assert.Equal(TestHandshakes.From(1, to: kind == ConnectionKind.Hint ? 0u : 2u) with { Kind = kind }, handshake);
        return socket;
    }

    public Socket AcceptAndAnswer(
        HandshakeStatus status = HandshakeStatus.Accepted, ConnectionKind kind = ConnectionKind.Messages)
    {
        Socket socket = Accept(kind);
        byte[] answer = new byte[Handshake.AnswerSize];
        Handshake.WriteAnswer(answer, status);
        socket.Send(answer);
        return socket;
    }

    /// <summary>Accepts the next connection, and answers its handshake.</summary>
    /// <returns>Null if the connection was a hint's.</returns>
    public Socket? TryAcceptLink()
    {
        Assert.True(listener.Poll(Eventually.Deadline, SelectMode.SelectRead), "no peer dialled");
        Socket socket = listener.Accept();
        Handshake.TryRead(Receive(socket, Handshake.Size), out Handshake handshake, out _);
        byte[] answer = new byte[Handshake.AnswerSize];
        Handshake.WriteAnswer(answer, HandshakeStatus.Accepted);
        socket.Send(answer);
        if (handshake.Kind != ConnectionKind.Hint)
            return socket;
        socket.Dispose();
        return null;
    }

    /// <summary>Asserts that no connection waits. Called when member 1 no longer dials.</summary>
    public void AssertNotDialled() =>
        Assert.False(listener.Poll(TimeSpan.Zero, SelectMode.SelectRead), "a peer dialled");

    public static byte[] Receive(Socket socket, int length)
    {
        byte[] bytes = new byte[length];
        for (int have = 0; have < length;)
        {
            int read = socket.Receive(bytes.AsSpan(have));
            Assert.NotEqual(0, read);
            have += read;
        }
        return bytes;
    }

    public void Dispose() => listener.Dispose();
}
