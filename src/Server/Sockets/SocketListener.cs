using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using RaftFast.Server.Logging;

namespace RaftFast.Server.Sockets;

/// <summary>
/// Accepts connections on one address for a transport. Kestrel's own listener would accept again at once when the
/// process has no descriptor left, and so keep busy the thread that all sockets share.
/// </summary>
internal sealed partial class SocketListener : IConnectionListener
{
    private const int Backlog = 512;

    /// <summary>Time until the next accept after the system had no descriptor or no memory for a connection.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Socket socket;
    private readonly ITransport transport;
    private readonly ILogger log;
    private readonly CancellationTokenSource unbound = new();

    private SocketListener(Socket socket, ITransport transport, ILogger log)
    {
        this.socket = socket;
        this.transport = transport;
        this.log = new LimitedLogger(log, TimeProvider.System);
        EndPoint = socket.LocalEndPoint!;
    }

    public EndPoint EndPoint { get; }

    /// <param name="transport">Serves the accepted sockets. The listener disposes of the transport.</param>
    /// <exception cref="SocketException">The address can't be listened on.</exception>
    public static SocketListener Bind(IPEndPoint endPoint, ITransport transport, ILogger log)
    {
        Socket socket = new(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (endPoint.Address.Equals(IPAddress.IPv6Any))
                socket.DualMode = true;
            socket.Bind(endPoint);
            socket.Listen(Backlog);
        }
        catch (SocketException)
        {
            socket.Dispose();
            transport.Dispose();
            throw;
        }
        return new SocketListener(socket, transport, log);
    }

    /// <returns>Null once the listener is unbound.</returns>
    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (!unbound.IsCancellationRequested)
        {
            try
            {
                Socket accepted = await socket.AcceptAsync(cancellationToken).ConfigureAwait(false);
                return Open(accepted);
            }
            catch (ObjectDisposedException)
            {
                // Unbound.
            }
            catch (SocketException e) when (
                e.SocketErrorCode is SocketError.TooManyOpenSockets or SocketError.NoBufferSpaceAvailable)
            {
                LogNoDescriptor(log, EndPoint, e.Message);
                await Task.Delay(Pause, unbound.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (SocketException e)
            {
                // The client is gone before the connection was accepted, or the listener is unbound.
                LogNotAccepted(log, e, EndPoint);
            }
        }
        return null;
    }

    private ConnectionContext Open(Socket accepted)
    {
        try
        {
            accepted.NoDelay = true;
            return transport.Open(accepted);
        }
        catch
        {
            accepted.Dispose();
            throw;
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        unbound.Cancel();
        socket.Dispose();
        return default;
    }

    public ValueTask DisposeAsync()
    {
        unbound.Cancel();
        socket.Dispose();
        transport.Dispose();
        return default;
    }

    [LoggerMessage(LogLevel.Warning, "can't accept connections on {EndPoint} for now: {Error}; trying again")]
    private static partial void LogNoDescriptor(ILogger log, EndPoint endPoint, string error);

    [LoggerMessage(LogLevel.Debug, "a connection to {EndPoint} was not accepted")]
    private static partial void LogNotAccepted(ILogger log, Exception exception, EndPoint endPoint);
}
