using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;

namespace RaftFast.Server;

/// <summary>Opens a member's two ports and keeps them open until it is told to stop.</summary>
internal static partial class NodeHost
{
    public static async Task<int> RunAsync(ServerOptions options, ILoggerFactory loggers, CancellationToken stop)
    {
        ILogger log = loggers.CreateLogger("node");
        IPEndPoint peer = PeerEndPoint.Of(options.Configuration.Find(options.MemberId)!.Address, log);
        await using Listeners listeners = await Listeners.StartAsync(
            new IPEndPoint(options.Listen, options.Port), new ClosingHandler(), peer, new ClosingHandler(), loggers);
        LogListening(log, options.MemberId, listeners.Http, listeners.Peer);
        await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return ExitCode.Success;
    }

    [LoggerMessage(LogLevel.Information, "member {Id} listens for clients on {Http}, for the other members on {Peer}")]
    private static partial void LogListening(ILogger log, ulong id, IPEndPoint http, IPEndPoint peer);

    private sealed class ClosingHandler : ConnectionHandler
    {
        public override Task OnConnectedAsync(ConnectionContext connection) => Task.CompletedTask;
    }
}
