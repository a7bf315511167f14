using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Server.Api;
using RaftFast.Server.Sockets;

namespace RaftFast.Server.Hosting;

/// <summary>Where the API listens: at the address of <c>--api</c>, or beside the HTTP port.</summary>
internal static partial class ApiDoor
{
    /// <summary>Distance of the default port from the HTTP port.</summary>
    public const int PortDistance = 1000;

    /// <returns>Null if there is no API: the flag says so, or the default port is taken.</returns>
    /// <exception cref="ListenException">The given address can't be listened on.</exception>
    public static async Task<ApiServer?> OpenAsync(ServerOptions options, IPEndPoint http, ILoggerFactory loggers)
    {
        if (!options.Api.IsOn)
            return null;
        ILogger log = loggers.CreateLogger("api");
        int port = http.Port + PortDistance;
        if (options.Api.EndPoint is null && port > IPEndPoint.MaxPort)
        {
            LogNoPort(log, http.Port, PortDistance);
            return null;
        }
        IPEndPoint endPoint = options.Api.EndPoint ?? new IPEndPoint(IPAddress.Loopback, port);
        try
        {
            ApiServer server = await ApiServer.StartAsync(
                endPoint, ClientAccess.Policy(options, endPoint.Address), loggers);
            LogOpen(log, server.EndPoint);
            return server;
        }
        catch (ListenException e) when (options.Api.EndPoint is null)
        {
            LogTaken(log, e.Message);
            return null;
        }
    }

    [LoggerMessage(LogLevel.Information, "status and metrics: http://{EndPoint}/")]
    private static partial void LogOpen(ILogger log, IPEndPoint endPoint);

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
