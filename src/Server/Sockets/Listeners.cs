using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using RaftFast.Consensus;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Sockets.Epoll;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Sockets;

/// <summary>
/// The two ports of a node: HTTP for clients, the peer protocol for peers. Kestrel's HTTP stack would never run here,
/// and would triple the size of the binary (docs/ARCHITECTURE.md).
/// </summary>
internal sealed class Listeners : IAsyncDisposable
{
    /// <summary>
    /// Maximum connections of peers. Each member of the largest cluster may dial a few times before this node notices
    /// that the earlier connections are dead.
    /// </summary>
    public const int PeerConnectionsMax = 4 * Quorum.VotersMax;

    /// <summary>
    /// Bytes of a block for clients: one request or several, and their answers. A connection that waits holds one
    /// block.
    /// </summary>
    private const int ClientBlockBytes = 8 * 1024;

    /// <summary>
    /// Maximum bytes received from a client and not read yet, and maximum bytes written and not sent yet.
    /// </summary>
    private const long ClientBufferMax = 2 * ClientBlockBytes;

    private const int PeerBlockBytes = 64 * 1024;

    /// <summary>
    /// Maximum bytes received from a peer and not read yet. While the loop is busy, TCP holds the peer back.
    /// </summary>
    private const long PeerBufferMax = 4 * PeerBlockBytes;

    private readonly Listener http;
    private readonly Listener peer;
    private readonly EpollThreads? threads;

    private Listeners(Listener http, Listener peer, EpollThreads? threads)
    {
        this.http = http;
        this.peer = peer;
        this.threads = threads;
    }

    /// <summary>Address for clients, with the port that the system chose if the configured port is 0.</summary>
    public IPEndPoint Http => http.EndPoint;

    public IPEndPoint Peer => peer.EndPoint;

    /// <summary>First thread that waits for the sockets in epoll; null with another transport.</summary>
    public EpollThread? FirstThread => threads?.First;

    /// <param name="kind">Transport of both ports.</param>
    /// <param name="inbox">Loop for which both handlers post.</param>
    /// <exception cref="ListenException">One of the addresses can't be listened on. Then neither is bound.</exception>
    public static async Task<Listeners> StartAsync(
        IPEndPoint http, ConnectionHandler httpHandler, int httpConnectionsMax,
        IPEndPoint peer, ConnectionHandler peerHandler, int peerConnectionsMax,
        TransportKind kind, Inbox inbox, ILoggerFactory loggers)
    {
        ILogger log = loggers.CreateLogger("listen");
        EpollThreads? threads =
            kind == TransportKind.Epoll ? new EpollThreads(SocketThreads.Count, inbox) : null;
        try
        {
            // Bind the peers' port first: no client reaches a node that its peers can't reach.
            SocketListener peerSocket = BindPeer(peer, threads, log);
            try
            {
                SocketListener httpSocket = BindHttp(http, threads, log);
                return new Listeners(
                    new Listener(httpSocket, httpHandler, httpConnectionsMax, log),
                    new Listener(peerSocket, peerHandler, peerConnectionsMax, log),
                    threads);
            }
            catch (ListenException)
            {
                await peerSocket.DisposeAsync();
                throw;
            }
        }
        catch (ListenException)
        {
            threads?.Dispose();
            throw;
        }
    }

    /// <summary>Listens for clients alone.</summary>
    /// <exception cref="ListenException">The address can't be listened on.</exception>
    public static Listener StartHttp(
        IPEndPoint http, ConnectionHandler httpHandler, int httpConnectionsMax, ILoggerFactory loggers)
    {
        ILogger log = loggers.CreateLogger("listen");
        return new Listener(BindHttp(http, threads: null, log), httpHandler, httpConnectionsMax, log);
    }

    /// <summary>
    /// Accepts no more connections, and asks the open ones to close. Returns when all connections are closed. Aborts
    /// connections that are open at <paramref name="cancellation"/>.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellation)
    {
        bool[] areDone = await Task.WhenAll(http.StopAsync(cancellation), peer.StopAsync(cancellation));
        if (Array.TrueForAll(areDone, static isDone => isDone))
            threads?.Dispose();
    }

    /// <summary>Stops at once, and aborts the open connections.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(new CancellationToken(canceled: true));

    /// <summary>Listens for peers with the portable transport.</summary>
    /// <exception cref="ListenException">The address can't be listened on.</exception>
    public static SocketListener BindPeer(IPEndPoint peer, ILogger log) => BindPeer(peer, threads: null, log);

    /// <summary>Listens for the API with the portable transport.</summary>
    /// <exception cref="ListenException">The address can't be listened on.</exception>
    public static SocketListener BindApi(IPEndPoint api, ILogger log) => Bind(
        api, Transport(threads: null, ClientBlockBytes, ClientBufferMax, log), log, "the API", "--api", "--api");

    private static SocketListener BindPeer(IPEndPoint peer, EpollThreads? threads, ILogger log) => Bind(
        peer, Transport(threads, PeerBlockBytes, PeerBufferMax, log), log,
        "the other members", "--cluster, in every member's list", "--peer-listen");

    private static SocketListener BindHttp(IPEndPoint http, EpollThreads? threads, ILogger log) => Bind(
        http, Transport(threads, ClientBlockBytes, ClientBufferMax, log), log, "clients", "--port", "--listen");

    private static ITransport Transport(EpollThreads? threads, int blockBytes, long bufferMax, ILogger log) =>
        threads is null ? new SocketTransport(blockBytes, bufferMax, log) : new EpollTransport(threads, blockBytes);

    private static SocketListener Bind(
        IPEndPoint endPoint, ITransport transport, ILogger log, string remotes, string portFlag, string addressFlag)
    {
        string failure = $"can't listen for {remotes} on {endPoint}";
        try
        {
            return SocketListener.Bind(endPoint, transport, log);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            throw new ListenException(
                $"{failure}: another process has that port; stop that process, or give another port with {portFlag}",
                e);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            throw new ListenException(
                $"{failure}: this machine doesn't have that address; give one that it has, or * for all, "
                + $"with {addressFlag}",
                e);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            throw new ListenException(
                $"{failure}: ports below 1024 need a privilege (CAP_NET_BIND_SERVICE); "
                + $"give a higher port with {portFlag}",
                e);
        }
        catch (SocketException e)
        {
            throw new ListenException($"{failure}: {e.Message}", e);
        }
    }
}

/// <summary>An address can't be listened on. The message says which address, why, and what to do.</summary>
public sealed class ListenException : OperatingException
{
    public ListenException(string message, Exception inner) : base(message, inner)
    {
    }

    public ListenException(string message) : base(message)
    {
    }

    public ListenException()
    {
    }
}
