#pragma warning disable ASPDEPR008 // Of the old host no more is used than its interface, which is what UseSockets extends.
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace RaftFast.Server.Sockets;

/// <summary>Kestrel's socket transport, with a memory pool: that it takes from a web host's services only, so it is made as one would.</summary>
internal static class SocketTransport
{
    /// <param name="blockBytes">Received at a time, and held by each connection that waits.</param>
    /// <param name="readAheadMax">Bytes received from one connection and not read yet.</param>
    public static IConnectionListenerFactory Create(int blockBytes, long readAheadMax, ILoggerFactory loggers)
    {
        Services services = new();
        services.Added.AddSingleton(loggers);
        services.Added.AddSingleton<IMemoryPoolFactory<byte>>(new BlockPool(blockBytes));
        services.UseSockets(options =>
        {
            // What runs on the transport's threads parses, posts and returns; a hand-over would cost more than it.
            options.UnsafePreferInlineScheduling = true;
            options.MaxReadBufferSize = readAheadMax;
            // Waiting without a block is another operation for each receive.
            options.WaitForDataBeforeAllocatingBuffer = false;
        });
        return services.Added.BuildServiceProvider().GetRequiredService<IConnectionListenerFactory>();
    }

    /// <summary>Of a web host, what adding services to it needs.</summary>
    private sealed class Services : IWebHostBuilder
    {
        public ServiceCollection Added { get; } = new();

        public IWebHostBuilder ConfigureServices(Action<IServiceCollection> configureServices)
        {
            configureServices(Added);
            return this;
        }

        public IWebHostBuilder ConfigureServices(Action<WebHostBuilderContext, IServiceCollection> configureServices) =>
            throw new NotSupportedException();

        public IWebHostBuilder ConfigureAppConfiguration(Action<WebHostBuilderContext, IConfigurationBuilder> configureDelegate) =>
            throw new NotSupportedException();

        public string? GetSetting(string key) => null;

        public IWebHostBuilder UseSetting(string key, string? value) => throw new NotSupportedException();

        public IWebHost Build() => throw new NotSupportedException();
    }
}
