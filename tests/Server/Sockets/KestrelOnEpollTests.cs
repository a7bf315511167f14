using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RaftFast.Server.Sockets;
using RaftFast.Server.Sockets.Epoll;

namespace RaftFast.Server.Tests.Sockets;

/// <summary>Kestrel's HTTP server, which uses all operations of the pipes, on the epoll transport.</summary>
public sealed class KestrelOnEpollTests
{
    [Fact]
    public async Task Kestrel_s_own_server_echoes_bodies_of_all_sizes()
    {
        Assert.SkipUnless(EpollTransport.IsSupported, "epoll is Linux's");
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        using EpollThreads threads = new(2, inbox: null);
        KestrelServerOptions options = new();
        options.Listen(IPAddress.Loopback, 0);
        Factory factory = new(threads);
        using KestrelServer server = new(Options.Create(options), factory, NullLoggerFactory.Instance);
        await server.StartAsync(new Echo(), cancellation);
        using (HttpClient client = new() { BaseAddress = new Uri($"http://{factory.EndPoint}") })
        {
            Random random = new(1);
            for (int i = 0; i < 40; i++)
            {
                byte[] body = new byte[random.Next(1 << (i % 22))];
                random.NextBytes(body);
                using ByteArrayContent content = new(body);
                using HttpResponseMessage answer = await client.PostAsync("/echo", content, cancellation);
                Assert.Equal(body, await answer.Content.ReadAsByteArrayAsync(cancellation));
            }
        }
        await server.StopAsync(cancellation);
    }

    private sealed class Echo : IHttpApplication<IFeatureCollection>
    {
        public IFeatureCollection CreateContext(IFeatureCollection contextFeatures) => contextFeatures;

        public async Task ProcessRequestAsync(IFeatureCollection context)
        {
            IHttpRequestFeature request = context.GetRequiredFeature<IHttpRequestFeature>();
            IHttpResponseBodyFeature response = context.GetRequiredFeature<IHttpResponseBodyFeature>();
            await request.Body.CopyToAsync(response.Stream);
            await response.CompleteAsync();
        }

        public void DisposeContext(IFeatureCollection context, Exception? exception)
        {
        }
    }

    private sealed class Factory(EpollThreads threads) : IConnectionListenerFactory
    {
        public EndPoint? EndPoint { get; private set; }

        public ValueTask<IConnectionListener> BindAsync(
            EndPoint endpoint, CancellationToken cancellationToken = default)
        {
            SocketListener listener = SocketListener.Bind(
                (IPEndPoint)endpoint, new EpollTransport(threads, blockBytes: 4096), NullLogger.Instance);
            EndPoint = listener.EndPoint;
            return new ValueTask<IConnectionListener>(listener);
        }
    }
}
