using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using RaftFast.Protocol;
using RaftFast.Server.Sockets;

namespace RaftFast.Server.Api;

/// <summary>
/// The API for operators and tools: Kestrel's own HTTP server on an address of its own. Every path of the client port
/// is a key, so the client port has no path for other purposes. No request of a client passes through here.
/// </summary>
internal sealed class ApiServer : IAsyncDisposable
{
    /// <summary>
    /// Maximum connections beside those of watches: browsers with six each, a scraper, probes.
    /// <see cref="Hosting.DescriptorBudget"/> keeps descriptors for all these connections.
    /// </summary>
    public const int ConnectionsMax = 32;

    /// <summary>
    /// Maximum bytes of a request line: a path, a few parameters, and two keys with each byte percent-encoded.
    /// </summary>
    private const int RequestLineBytesMax = 2048 + (2 * PercentEncoding.Growth * PutCommand.KeyBytesMax);

    private const int HeadersBytesMax = 16 * 1024;

    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Time without a request after which a connection is closed.</summary>
    private static readonly TimeSpan KeepAliveTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Time in which finished answers reach their sockets. A watch would not end by itself.</summary>
    private static readonly TimeSpan StopGrace = TimeSpan.FromMilliseconds(100);

    private readonly KestrelServer server;
    private readonly ApiApplication application;

    private ApiServer(KestrelServer server, ApiApplication application, IPEndPoint endPoint)
    {
        this.server = server;
        this.application = application;
        EndPoint = endPoint;
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>Listens. Until <see cref="Attach"/> the answers say that the node starts.</summary>
    /// <param name="watchesMax">Maximum watches, each of which has a connection.</param>
    /// <exception cref="ListenException">The address can't be listened on.</exception>
    public static async Task<ApiServer> StartAsync(
        IPEndPoint endPoint, int watchesMax, ApiApplication application, ILoggerFactory loggers)
    {
        KestrelServerOptions options = new() { AddServerHeader = false };
        options.Limits.MaxConcurrentConnections = ConnectionsMax + watchesMax;
        options.Limits.MaxRequestLineSize = RequestLineBytesMax;
        options.Limits.MaxRequestHeadersTotalSize = HeadersBytesMax;
        options.Limits.MaxRequestBodySize = 0;
        options.Limits.RequestHeadersTimeout = HeadersTimeout;
        options.Limits.KeepAliveTimeout = KeepAliveTimeout;
        options.Listen(endPoint, static listen => listen.Protocols = HttpProtocols.Http1);
        Binding binding = new(loggers.CreateLogger("api"));
        KestrelServer server = new(Options.Create(options), binding, loggers);
        try
        {
            await server.StartAsync(application, CancellationToken.None);
        }
        catch
        {
            server.Dispose();
            throw;
        }
        return new ApiServer(server, application, (IPEndPoint)binding.Listener!.EndPoint);
    }

    /// <summary>The node runs: its state can be asked for.</summary>
    public void Attach(ApiNode node) => application.Attach(node);

    /// <summary>Ends all connections: answers that are being sent have <see cref="StopGrace"/>.</summary>
    public async ValueTask DisposeAsync()
    {
        using CancellationTokenSource end = new(StopGrace);
        await server.StopAsync(end.Token)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        server.Dispose();
    }

    /// <summary>Gives Kestrel a listener whose failures name the flag.</summary>
    private sealed class Binding(ILogger log) : IConnectionListenerFactory
    {
        public SocketListener? Listener { get; private set; }

        public ValueTask<IConnectionListener> BindAsync(
            EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            Listener = Listeners.BindApi((IPEndPoint)endpoint, log);
            return new ValueTask<IConnectionListener>(Listener);
        }
    }
}
