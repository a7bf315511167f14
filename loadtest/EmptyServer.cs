using System.Net;
using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Server.Lifetime;
using RaftFast.Http;
using RaftFast.Server.Sockets;

namespace RaftFast.LoadTest;

/// <summary>
/// The server's own HTTP front with nothing behind it: a PUT is answered 204 at once, a GET with a value. It is what a load
/// generator is measured against, and what a server could reach at most whose consensus and disk cost nothing.
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

    /// <param name="port">0: any free one.</param>
    /// <param name="valueBytes">Of what each GET is answered.</param>
    /// <exception cref="ListenException">Another process has that port.</exception>
    public static async Task<EmptyServer> StartAsync(int port, int valueBytes)
    {
        byte[] value = new byte[valueBytes];
        value.AsSpan().Fill((byte)'x');
        HttpFront front = new(request => Complete(request, value), new HttpLimits(), TimeProvider.System);
        return new EmptyServer(
            await Listeners.StartHttpAsync(new IPEndPoint(IPAddress.Loopback, port), front, NullLoggerFactory.Instance), front);
    }

    public async ValueTask DisposeAsync()
    {
        await front.StopAsync(Grace);
        await listener.StopAsync(new CancellationToken(canceled: true));
    }

    /// <summary>On the connection's own thread, which writes what is finished before it waits: nobody has to be woken.</summary>
    private static void Complete(ClientRequest request, byte[] value)
    {
        if (request.Method == ClientRequestMethod.Get)
            request.CompleteValue(value);
        else
            request.CompleteNoContent();
    }
}
