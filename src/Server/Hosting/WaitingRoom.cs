using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Logging;
using RaftFast.Server.Peers.Joining;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Recovery;
using RaftFast.Server.Sockets;

namespace RaftFast.Server.Hosting;

/// <summary>
/// A node with <c>--join</c> and an empty directory waits here until a member of the cluster dials it.
/// </summary>
internal static partial class WaitingRoom
{
    /// <returns>The cluster's id, or null if the process is asked to stop.</returns>
    /// <exception cref="ListenException">One of the addresses can't be listened on.</exception>
    public static async Task<ulong?> LearnClusterAsync(
        ServerOptions options, StartProgress start, ILoggerFactory loggers, CancellationToken stop)
    {
        ILogger log = loggers.CreateLogger("node");
        DescriptorBudget descriptors = DescriptorBudget.Of(options);
        if (await NodeHost.FindPeerEndPointAsync(
            options.Address, options.Configuration, options, start, log, stop) is not { } listen)
        {
            return null;
        }
        await using HttpFront front = new(
            Refuse, descriptors.Bound(options.Clients, log), TimeProvider.System,
            access: ClientAccess.Policy(options, options.Listen));
        Listener http = Listeners.StartHttp(
            new IPEndPoint(options.Listen, options.Port), front, descriptors.Clients, loggers);
        start.Begin(
            $"waiting to be added to a cluster: POST its URL {options.Address} to /{options.MemberId} at a member");
        LogWaiting(log, options.MemberId, options.Address);
        try
        {
            LimitedLogger peerLog = new(loggers.CreateLogger("peer"), TimeProvider.System);
            return await FirstHandshake.WaitAsync(listen, options.MemberId, peerLog, new PeerOptions(), stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            await http.StopAsync(new CancellationToken(canceled: true));
        }
    }

    private static void Refuse(ClientRequest request)
    {
        request.CompleteError(
            503, "Not done: this node waits to be added to a cluster. POST its URL to /<its id> at a member.\n"u8);
        request.Owner.Resume();
    }

    [LoggerMessage(
        LogLevel.Information,
        "node {Id} waits to be added to a cluster: POST its URL {Address} to /{Id} at a member (curl -d)")]
    private static partial void LogWaiting(ILogger log, ulong id, PeerAddress address);
}
