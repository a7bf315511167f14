using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using RaftFast.Server.Lifetime;
using RaftFast.Consensus;

namespace RaftFast.Server.Sockets;

/// <summary>
/// The two ports of a node: HTTP for clients, the peer protocol for peers. Both use only the socket transport of
/// Kestrel: its HTTP stack, which would never run here, would triple the size of the binary (docs/ARCHITECTURE.md).
/// </summary>
internal sealed class Listeners : IAsyncDisposable
{
    /// <summary>
    /// Connections of clients: twice as many as the front serves (HttpLimits), so that the front can tell the others
    /// why they are refused.
    /// </summary>
    public const int HttpConnectionsMax = 4096;

    /// <summary>
    /// Connections of peers: each member of the largest cluster may dial a few times before this node notices that the
    /// earlier connections are dead.
    /// </summary>
    public const int PeerConnectionsMax = 4 * Quorum.VotersMax;

    /// <summary>
    /// Bytes of a block for clients: one request or several, and their answers. A connection that waits holds one
    /// block.
    /// </summary>
    private const int ClientBlockBytes = 8 * 1024;

    /// <summary>
    /// Bytes received from a client and not read yet: Kestrel's own bound, one value of the largest size.
    /// </summary>
    private const long ClientReadAheadMax = 1024 * 1024;

    private const int PeerBlockBytes = 64 * 1024;

    /// <summary>Bytes received from a peer and not read yet. While the loop is busy, TCP holds the peer back.</summary>
    private const long PeerReadAheadMax = 4 * PeerBlockBytes;

    private readonly Listener http;
    private readonly Listener peer;

    private Listeners(Listener http, Listener peer)
    {
        this.http = http;
        this.peer = peer;
    }

    /// <summary>Address for clients, with the port that the system chose if the configured port is 0.</summary>
    public IPEndPoint Http => http.EndPoint;

    public IPEndPoint Peer => peer.EndPoint;

    /// <exception cref="ListenException">One of the addresses can't be listened on. Then neither is bound.</exception>
    public static async Task<Listeners> StartAsync(
        IPEndPoint http, ConnectionHandler httpHandler, IPEndPoint peer, ConnectionHandler peerHandler,
        ILoggerFactory loggers)
    {
        ILogger log = loggers.CreateLogger("listen");
        // Peers first: no client reaches a node that its peers can't reach.
        IConnectionListener peerSocket = await BindPeerAsync(peer, loggers);
        IConnectionListener httpSocket;
        try
        {
            httpSocket = await BindHttpAsync(http, loggers);
        }
        catch (ListenException)
        {
            await peerSocket.DisposeAsync();
            throw;
        }
        return new Listeners(
            new Listener(httpSocket, httpHandler, HttpConnectionsMax, log),
            new Listener(peerSocket, peerHandler, PeerConnectionsMax, log));
    }

    /// <summary>Listens for clients alone.</summary>
    /// <exception cref="ListenException">The address can't be listened on.</exception>
    public static async Task<Listener> StartHttpAsync(
        IPEndPoint http, ConnectionHandler httpHandler, ILoggerFactory loggers) =>
        new(await BindHttpAsync(http, loggers), httpHandler, HttpConnectionsMax, loggers.CreateLogger("listen"));

    /// <summary>
    /// Accepts no more connections and asks the open ones to close; returns when all have. Aborts those that are open
    /// at <paramref name="cancellation"/>.
    /// </summary>
    public Task StopAsync(CancellationToken cancellation) =>
        Task.WhenAll(http.StopAsync(cancellation), peer.StopAsync(cancellation));

    /// <summary>Stops at once, and aborts the open connections.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(new CancellationToken(canceled: true));

    /// <exception cref="ListenException">The address can't be listened on.</exception>
    public static Task<IConnectionListener> BindPeerAsync(IPEndPoint peer, ILoggerFactory loggers) => BindAsync(
        SocketTransport.Create(PeerBlockBytes, PeerReadAheadMax, loggers),
        peer, "the other members", "--cluster, in every member's list", "--peer-listen");

    private static Task<IConnectionListener> BindHttpAsync(IPEndPoint http, ILoggerFactory loggers) => BindAsync(
        SocketTransport.Create(ClientBlockBytes, ClientReadAheadMax, loggers), http, "clients", "--port", "--listen");

    private static async Task<IConnectionListener> BindAsync(
        IConnectionListenerFactory transport, IPEndPoint endPoint, string remotes, string portFlag, string addressFlag)
    {
        string failure = $"can't listen for {remotes} on {endPoint}";
        try
        {
            return await transport.BindAsync(endPoint);
        }
        catch (AddressInUseException e)
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
