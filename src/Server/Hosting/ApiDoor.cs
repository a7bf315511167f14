using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Api;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Recovery;
using RaftFast.Server.Sockets;
using RaftFast.Storage.Directories;

namespace RaftFast.Server.Hosting;

/// <summary>Opens the API at the address of <c>--api</c>, or beside the HTTP port.</summary>
internal static partial class ApiDoor
{
    /// <summary>Distance of the default port from the HTTP port.</summary>
    public const int PortDistance = 1000;

    /// <summary>Opens the API, which tells of the start until <see cref="ApiServer.Attach"/>.</summary>
    /// <param name="own">The node's own URL, whose port the API leaves free.</param>
    /// <returns>Null if there is no API: the flag says so, or the default port is taken.</returns>
    /// <exception cref="ListenException">The given address can't be listened on.</exception>
    public static async Task<ApiServer?> OpenAsync(
        ServerOptions options, PeerAddress own, StartProgress start, string dataDirectory, ILoggerFactory loggers)
    {
        if (!options.Api.IsOn)
            return null;
        ILogger log = loggers.CreateLogger("api");
        // With --port 0 the clients' port is not known yet, so the API takes any free port too.
        int port = options.Port == 0 ? 0 : options.Port + PortDistance;
        if (options.Api.EndPoint is null && port > IPEndPoint.MaxPort)
        {
            LogNoPort(log, options.Port, PortDistance);
            return null;
        }
        if (options.Api.EndPoint is null && port == own.Port)
        {
            LogOwnPort(log, port);
            return null;
        }
        IPEndPoint endPoint = options.Api.EndPoint ?? new IPEndPoint(IPAddress.Loopback, port);
        try
        {
            int watchesMax = DescriptorBudget.WatchesMax(DescriptorLimit.Raise());
            ApiApplication application = new(ClientAccess.Policy(options, endPoint.Address), start, dataDirectory);
            return await ApiServer.StartAsync(endPoint, watchesMax, application, loggers);
        }
        catch (ListenException e) when (options.Api.EndPoint is null)
        {
            LogTaken(log, e.Message);
            return null;
        }
    }

    /// <summary>Logs the address of the API, once the node listens for clients too.</summary>
    public static void LogOpen(ILoggerFactory loggers, ApiServer? server)
    {
        if (server is not null)
            LogOpen(loggers.CreateLogger("api"), server.EndPoint);
    }

    /// <summary>
    /// Makes what the other members are told for their operators. A wildcard address becomes the host of the node's own
    /// URL, by which the other members reach it.
    /// </summary>
    public static Announcement Announcement(NodeIdentity identity, IPEndPoint http, IPEndPoint? api) =>
        new(UrlOf(identity, http), api is null ? "" : UrlOf(identity, api), ProgramVersion.Text);

    private static string UrlOf(NodeIdentity identity, IPEndPoint endPoint)
    {
        bool isEvery = endPoint.Address.Equals(IPAddress.Any) || endPoint.Address.Equals(IPAddress.IPv6Any);
        return new PeerAddress(isEvery ? identity.Address.Host : endPoint.Address.ToString(), endPoint.Port).ToString();
    }

    [LoggerMessage(LogLevel.Information, "status and metrics: http://{EndPoint}/")]
    private static partial void LogOpen(ILogger log, IPEndPoint endPoint);

    [LoggerMessage(
        LogLevel.Warning,
        "this node has no API: its default port, {Port}, is the one for the other members; give --api ADDRESS:PORT, or "
        + "--api off")]
    private static partial void LogOwnPort(ILogger log, int port);

    [LoggerMessage(LogLevel.Warning, "this node has no API: {Failure}, or --api off")]
    private static partial void LogTaken(ILogger log, string failure);

    [LoggerMessage(
        LogLevel.Warning,
        "this node has no API: there is no port {Distance} above --port {Port}; give --api ADDRESS:PORT, or --api off")]
    private static partial void LogNoPort(ILogger log, int port, int distance);
}

/// <summary>Value of <c>--api</c>.</summary>
/// <param name="EndPoint">Null for the default, <see cref="ApiDoor.PortDistance"/> above the HTTP port.</param>
internal sealed record ApiSetting(bool IsOn, IPEndPoint? EndPoint)
{
    public static ApiSetting Off { get; } = new(false, null);

    public static ApiSetting Default { get; } = new(true, null);
}
