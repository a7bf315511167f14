using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using RaftFast.Server.Lifetime;
using RaftFast.Consensus;

namespace RaftFast.Server.Sockets;

/// <summary>
/// The two ports of a node: HTTP for clients, the peer protocol for peers. The two ports use only the socket transport
/// of Kestrel. Kestrel's HTTP stack would never run here, and would triple the size of the binary
/// (docs/ARCHITECTURE.md).
/// </summary>
internal sealed class Listeners : IAsyncDisposable
{
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

    /// <summary>Bytes received from a client and not read yet; also bytes written and not sent yet.</summary>
    private const long ClientBufferMax = 2 * ClientBlockBytes;

    private const int PeerBlockBytes = 64 * 1024;

    /// <summary>Bytes received from a peer and not read yet. While the loop is busy, TCP holds the peer back.</summary>
    private const long PeerBufferMax = 4 * PeerBlockBytes;

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
        IPEndPoint http, ConnectionHandler httpHandler, int httpConnectionsMax,
        IPEndPoint peer, ConnectionHandler peerHandler, int peerConnectionsMax, ILoggerFactory loggers)
    {
        ILogger log = loggers.CreateLogger("listen");
        // Peers first: no client reaches a node that its peers can't reach.
        SocketListener peerSocket = BindPeer(peer, log);
        SocketListener httpSocket;
        try
        {
            httpSocket = BindHttp(http, log);
        }
        catch (ListenException)
        {
            await peerSocket.DisposeAsync();
            throw;
        }
        return new Listeners(
            new Listener(httpSocket, httpHandler, httpConnectionsMax, log),
            new Listener(peerSocket, peerHandler, peerConnectionsMax, log));
    }

    /// <summary>Listens for clients alone.</summary>
    /// <exception cref="ListenException">The address can't be listened on.</exception>
    public static Listener StartHttp(
        IPEndPoint http, ConnectionHandler httpHandler, int httpConnectionsMax, ILoggerFactory loggers)
    {
        ILogger log = loggers.CreateLogger("listen");
        return new Listener(BindHttp(http, log), httpHandler, httpConnectionsMax, log);
    }

    /// <summary>
    /// Accepts no more connections and asks the open ones to close; returns when all have. Aborts those that are open
    /// at <paramref name="cancellation"/>.
    /// </summary>
    public Task StopAsync(CancellationToken cancellation) =>
        Task.WhenAll(http.StopAsync(cancellation), peer.StopAsync(cancellation));

    /// <summary>Stops at once, and aborts the open connections.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(new CancellationToken(canceled: true));

    /// <exception cref="ListenException">The address can't be listened on.</exception>
    public static SocketListener BindPeer(IPEndPoint peer, ILogger log) => Bind(
        peer, PeerBlockBytes, PeerBufferMax, log,
        "the other members", "--cluster, in every member's list", "--peer-listen");

    private static SocketListener BindHttp(IPEndPoint http, ILogger log) =>
        Bind(http, ClientBlockBytes, ClientBufferMax, log, "clients", "--port", "--listen");

    private static SocketListener Bind(
        IPEndPoint endPoint, int blockBytes, long bufferMax, ILogger log, string remotes, string portFlag,
        string addressFlag)
    {
        string failure = $"can't listen for {remotes} on {endPoint}";
        try
        {
            return SocketListener.Bind(endPoint, blockBytes, bufferMax, log);
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
