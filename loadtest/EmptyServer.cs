using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Server.Lifetime;
using RaftFast.Http;
using RaftFast.Server.Sockets;

namespace RaftFast.LoadTest;

/// <summary>
/// RaftFast's HTTP front without a node: it answers a PUT with 204 at once, and a GET with a value. Load generators are
/// measured against this server. It is as fast as a node whose consensus and disk cost nothing.
/// </summary>
internal sealed class EmptyServer : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly Listener listener;
    private readonly HttpFront front;

    private EmptyServer(Listener listener, HttpFront front)
    {
        this.listener = listener;
        this.front = front;
    }

    public IPEndPoint EndPoint => listener.EndPoint;

    public int ConnectionCount => front.ConnectionCount;

    /// <param name="port">The port, or 0 for any free port.</param>
    /// <param name="valueBytes">Bytes of the value in the answer to a GET.</param>
    /// <exception cref="ListenException">Another process listens on the port.</exception>
    public static EmptyServer Start(int port, int valueBytes)
    {
        byte[] value = new byte[valueBytes];
        value.AsSpan().Fill((byte)'x');
        HttpLimits limits = new();
        HttpFront front = new(request => Complete(request, value), limits, TimeProvider.System);
        IPEndPoint endPoint = new(IPAddress.Loopback, port);
        return new EmptyServer(
            Listeners.StartHttp(endPoint, front, limits.ConnectionsMax, NullLoggerFactory.Instance), front);
    }

    public async ValueTask DisposeAsync()
    {
        await front.StopAsync(Grace);
        await listener.StopAsync(new CancellationToken(canceled: true));
    }

    /// <summary>
    /// Completes a request on the connection's own thread. That thread writes finished answers before it waits, so no
    /// wake is needed.
    /// </summary>
    private static void Complete(ClientRequest request, byte[] value)
    {
        if (request.Method == ClientRequestMethod.Get)
            request.CompleteValue(value);
        else
            request.CompleteNoContent();
    }
}
