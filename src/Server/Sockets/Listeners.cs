using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using RaftFast.Server.Lifetime;
using RaftFast.Consensus;

namespace RaftFast.Server.Sockets;

/// <summary>
/// The two doors of a member: HTTP for clients, the peer protocol for the other members. They stand on Kestrel's socket
/// transport alone: its HTTP stack, which never runs here, would triple the binary (docs/ARCHITECTURE.md).
/// </summary>
internal sealed class Listeners : IAsyncDisposable
{
    /// <summary>Twice what the front serves (HttpLimits), so that those beyond are told why they are refused.</summary>
    public const int HttpConnectionsMax = 4096;

    /// <summary>Each member of the largest cluster may dial a few times over before its dead connections are noticed.</summary>
    public const int PeerConnectionsMax = 4 * Quorum.VotersMax;

    /// <summary>A request or some, and the answers; a connection that waits holds one.</summary>
    private const int ClientBlockBytes = 8 * 1024;

    /// <summary>Bytes received from a client and not read yet: Kestrel's own bound, a value of the largest size.</summary>
    private const long ClientReadAheadMax = 1024 * 1024;

    private const int PeerBlockBytes = 64 * 1024;

    /// <summary>The same for a member, which TCP holds back while the loop is busy.</summary>
    private const long PeerReadAheadMax = 4 * PeerBlockBytes;

    private readonly Listener http;
    private readonly Listener peer;

    private Listeners(Listener http, Listener peer)
    {
        this.http = http;
        this.peer = peer;
    }

    /// <summary>Where clients really connect: with the port that the system chose, if it was asked for any.</summary>
    public IPEndPoint Http => http.EndPoint;

    public IPEndPoint Peer => peer.EndPoint;

    /// <exception cref="ListenException">One of the addresses can't be listened on; then neither is.</exception>
    public static async Task<Listeners> StartAsync(
        IPEndPoint http, ConnectionHandler httpHandler, IPEndPoint peer, ConnectionHandler peerHandler, ILoggerFactory loggers)
    {
        ILogger log = loggers.CreateLogger("listen");
        IConnectionListener httpSocket = await BindAsync(SocketTransport.Create(ClientBlockBytes, ClientReadAheadMax, loggers), http, "clients", "--port");
        IConnectionListener peerSocket;
        try
        {
            peerSocket = await BindPeerAsync(peer, loggers);
        }
        catch (ListenException)
        {
            await httpSocket.DisposeAsync();
            throw;
        }
        return new Listeners(
            new Listener(httpSocket, httpHandler, HttpConnectionsMax, log),
            new Listener(peerSocket, peerHandler, PeerConnectionsMax, log));
    }

    /// <summary>The clients' door alone.</summary>
    /// <exception cref="ListenException">The address can't be listened on.</exception>
    public static async Task<Listener> StartHttpAsync(IPEndPoint http, ConnectionHandler httpHandler, ILoggerFactory loggers) => new(
        await BindAsync(SocketTransport.Create(ClientBlockBytes, ClientReadAheadMax, loggers), http, "clients", "--port"),
        httpHandler, HttpConnectionsMax, loggers.CreateLogger("listen"));

    /// <summary>
    /// Accepts no more connections and asks those there are to close; returns when all have. Those left at
    /// <paramref name="cancellation"/> are cut off.
    /// </summary>
    public Task StopAsync(CancellationToken cancellation) =>
        Task.WhenAll(http.StopAsync(cancellation), peer.StopAsync(cancellation));

    /// <summary>Stops at once.</summary>
    public async ValueTask DisposeAsync() => await StopAsync(new CancellationToken(canceled: true));

    /// <exception cref="ListenException">It can't be listened on.</exception>
    public static Task<IConnectionListener> BindPeerAsync(IPEndPoint peer, ILoggerFactory loggers) =>
        BindAsync(SocketTransport.Create(PeerBlockBytes, PeerReadAheadMax, loggers), peer, "the other members", "--cluster, in every member's list");

    private static async Task<IConnectionListener> BindAsync(
        IConnectionListenerFactory transport, IPEndPoint endPoint, string whom, string flag)
    {
        string failure = $"can't listen for {whom} on {endPoint}";
        try
        {
            return await transport.BindAsync(endPoint);
        }
        catch (AddressInUseException e)
        {
            throw new ListenException($"{failure}: another process has that port; stop it, or give another port with {flag}", e);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressNotAvailable)
        {
            throw new ListenException($"{failure}: this machine doesn't have that address; give one that it has, or * for all, with --listen", e);
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            throw new ListenException($"{failure}: ports below 1024 need a privilege (CAP_NET_BIND_SERVICE); give a higher port with {flag}", e);
        }
        catch (SocketException e)
        {
            throw new ListenException($"{failure}: {e.Message}", e);
        }
    }
}
