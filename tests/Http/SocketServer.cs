using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace RaftFast.Http.Tests;

/// <summary>A front on a port of its own, over Kestrel's socket transport.</summary>
internal sealed class SocketServer : IAsyncDisposable
{
    private readonly IConnectionListener listener;
    private readonly Task accepting;

    private SocketServer(IConnectionListener listener, HttpFront front)
    {
        this.listener = listener;
        Front = front;
        accepting = AcceptAsync();
    }

    public HttpFront Front { get; }

    public int Port => ((IPEndPoint)listener.EndPoint).Port;

    /// <param name="isInline">
    /// True if connection code runs on the transport's threads, false for the thread pool's.
    /// </param>
    public static async Task<SocketServer> StartAsync(HttpFront front, bool isInline)
    {
        SocketTransportOptions options = new() { UnsafePreferInlineScheduling = isInline };
        SocketTransportFactory factory = new(Options.Create(options), NullLoggerFactory.Instance);
        return new SocketServer(await factory.BindAsync(new IPEndPoint(IPAddress.Loopback, 0)), front);
    }

    public async Task<Socket> ConnectAsync()
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, Port);
        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        await listener.UnbindAsync();
        await Front.StopAsync(TimeSpan.FromSeconds(5));
        await accepting;
        await listener.DisposeAsync();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        while (await listener.AcceptAsync() is { } connection)
            serving.Add(ServeAsync(connection));
        await Task.WhenAll(serving);
    }

    private async Task ServeAsync(ConnectionContext connection)
    {
        await Front.OnConnectedAsync(connection);
        await connection.DisposeAsync();
    }
}
