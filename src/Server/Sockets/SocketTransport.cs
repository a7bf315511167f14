#pragma warning disable ASPDEPR008 // Only the interface of the old web host is used: UseSockets extends that interface.
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace RaftFast.Server.Sockets;

/// <summary>
/// Makes Kestrel's socket transport with a memory pool of its own. The transport takes a pool only from the services of
/// a web host, so it is made with such services.
/// </summary>
internal static class SocketTransport
{
    /// <param name="blockBytes">Bytes received at a time, and held by each connection that waits.</param>
    /// <param name="readAheadMax">Maximum bytes received from one connection and not read yet.</param>
    public static IConnectionListenerFactory Create(int blockBytes, long readAheadMax, ILoggerFactory loggers)
    {
        Services services = new();
        services.Added.AddSingleton(loggers);
        services.Added.AddSingleton<IMemoryPoolFactory<byte>>(new BlockPool(blockBytes));
        services.UseSockets(options =>
        {
            // The work on the transport's threads only parses, posts and returns: handing it over would cost more.
            options.UnsafePreferInlineScheduling = true;
            options.MaxReadBufferSize = readAheadMax;
            // Waiting for data before taking a block would cost one more operation for each receive.
            options.WaitForDataBeforeAllocatingBuffer = false;
        });
        return services.Added.BuildServiceProvider().GetRequiredService<IConnectionListenerFactory>();
    }

    /// <summary>The part of a web host that is needed to add services to it.</summary>
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

        public IWebHostBuilder ConfigureAppConfiguration(
            Action<WebHostBuilderContext, IConfigurationBuilder> configureDelegate) =>
            throw new NotSupportedException();

        public string? GetSetting(string key) => null;

        public IWebHostBuilder UseSetting(string key, string? value) => throw new NotSupportedException();

        public IWebHost Build() => throw new NotSupportedException();
    }
}
