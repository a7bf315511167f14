using RaftFast.Protocol;

namespace RaftFast.Server.Tests.Peers.Snapshots;

/// <summary>A leader whose snapshot the test sends frame by frame.</summary>
internal sealed class SnapshotDialer : IDisposable
{
    private readonly RawDialer dialer;

    public SnapshotDialer(Node node, ulong from = 2)
    {
        dialer = new RawDialer(node.Port);
        Assert.Equal(
            HandshakeStatus.Accepted,
            dialer.ShakeHands(TestHandshakes.From(from) with { Kind = ConnectionKind.Snapshot }));
    }

    /// <summary>Dials and sends the header, to which the answer must be to continue.</summary>
    public static SnapshotDialer Continued(Node node, List<byte[]> frames, int chunks = 0, ulong from = 2)
    {
        SnapshotDialer dialer = new(node, from);
        dialer.Send(frames[0]);
        Assert.Equal((InstallStatus.Continue, chunks), dialer.Answer());
        return dialer;
    }

    public void Send(params IEnumerable<byte[]> frames)
    {
        foreach (byte[] frame in frames)
            dialer.Send(frame);
    }

    public (InstallStatus Status, int Chunks) Answer()
    {
        byte[] header = RawAcceptor.Receive(dialer.Socket, Frame.HeaderSize);
        Assert.Equal(DecodeStatus.Complete, Frame.TryReadHeader(header, out Message message, out int length));
        Assert.Equal((MessageType.InstallSnapshotResponse, 0), (message.Type, length));
        return ((InstallStatus)message.Context, message.Count);
    }

    public void AssertClosed() => dialer.AssertClosed();

    public void Dispose() => dialer.Dispose();
}
