using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Protocol;
using RaftFast.Server.Peers;

namespace RaftFast.Server.Tests.Peers;

/// <summary>The accepting side of one member of a cluster of three.</summary>
internal sealed class Node : IAsyncDisposable
{
    public const ulong ClusterId = 0xC1u;

    private readonly Listener listener;

    public Node(ulong id = 1, ulong clusterId = ClusterId, PeerOptions? options = null, int port = 0)
    {
        Inbox = new Inbox(64);
        Reader = new InboxReader(Inbox);
        options ??= new PeerOptions();
        Acceptor = new PeerAcceptor(id, Cluster(1, 1, 1, clusterId), Inbox, Log, options);
        SocketTransportFactory transport = Listeners.PeerTransport(NullLoggerFactory.Instance);
        ValueTask<IConnectionListener> bound = transport.BindAsync(new IPEndPoint(IPAddress.Loopback, port));
        listener = new Listener(bound.AsTask().GetAwaiter().GetResult(), Acceptor, connectionsMax: 16, Log);
    }

    public Inbox Inbox { get; }

    public InboxReader Reader { get; }

    public RecordedLog Log { get; } = new();

    public PeerAcceptor Acceptor { get; }

    public int Port => listener.EndPoint.Port;

    public static ClusterConfiguration Cluster(int port1, int port2, int port3, ulong clusterId = ClusterId) => new(clusterId, [
        new Member(1, new PeerAddress("127.0.0.1", port1)),
        new Member(2, new PeerAddress("127.0.0.1", port2)),
        new Member(3, new PeerAddress("127.0.0.1", port3))]);

    public async ValueTask DisposeAsync() => await listener.StopAsync(new CancellationToken(canceled: true));
}
