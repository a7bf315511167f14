using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RaftFast.Http;

namespace RaftFast.LoadTest;

/// <summary>
/// The server's own HTTP front with nothing behind it: a PUT is answered 204 at once, a GET with a value. It is what a load
/// generator is measured against, and what a server could reach at most whose consensus and disk cost nothing.
/// </summary>
internal sealed class EmptyServer : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly IConnectionListener listener;
    private readonly HttpFront front;
    private readonly Task accepting;

    private EmptyServer(IConnectionListener listener, HttpFront front)
    {
        this.listener = listener;
        this.front = front;
        accepting = AcceptAsync();
    }

    public IPEndPoint EndPoint => (IPEndPoint)listener.EndPoint;

    public int ConnectionCount => front.ConnectionCount;

    /// <param name="port">0: any free one.</param>
    /// <param name="valueBytes">Of what each GET is answered.</param>
    /// <exception cref="IOException">Another process has that port.</exception>
    public static async Task<EmptyServer> StartAsync(int port, int valueBytes)
    {
        byte[] value = new byte[valueBytes];
        value.AsSpan().Fill((byte)'x');
        // As the server makes its own (Listeners in src/Server).
        SocketTransportFactory transport = new(
            Options.Create(new SocketTransportOptions { UnsafePreferInlineScheduling = true, MaxReadBufferSize = 1024 * 1024 }),
            NullLoggerFactory.Instance);
        IConnectionListener listener = await transport.BindAsync(new IPEndPoint(IPAddress.Loopback, port));
        return new EmptyServer(listener, new HttpFront(request => Complete(request, value), new HttpLimits(), TimeProvider.System));
    }

    public async ValueTask DisposeAsync()
    {
        await listener.UnbindAsync();
        await front.StopAsync(Grace);
        await accepting;
        await listener.DisposeAsync();
    }

    /// <summary>On the connection's own thread, which writes what is finished before it waits: nobody has to be woken.</summary>
    private static void Complete(ClientRequest request, byte[] value)
    {
        if (request.Method == ClientRequestMethod.Get)
            request.CompleteValue(value);
        else
            request.CompleteNoContent();
    }

    private async Task AcceptAsync()
    {
        List<Task> serving = [];
        while (await listener.AcceptAsync() is { } connection)
        {
            serving.RemoveAll(task => task.IsCompleted);
            serving.Add(Task.Run(() => ServeAsync(connection)));
        }
        await Task.WhenAll(serving);
    }

    private async Task ServeAsync(ConnectionContext connection)
    {
        await front.OnConnectedAsync(connection);
        await connection.DisposeAsync();
    }
}
