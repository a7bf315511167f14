using Microsoft.Extensions.Logging;
using RaftFast.Http;
using RaftFast.Server.Api;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Sockets;

namespace RaftFast.Server.Hosting;

/// <summary>
/// Shares out the descriptors of the process. Clients get what storage and peers leave, so that many clients make
/// neither storage nor peers fail.
/// </summary>
/// <param name="Clients">Maximum connections of clients, those beyond <see cref="HttpLimits.ConnectionsMax"/>
/// included.</param>
/// <param name="Peers">Maximum inbound connections of peers.</param>
internal readonly record struct DescriptorBudget(int Clients, int Peers)
{
    /// <summary>Descriptors for the runtime, the data directory, the log and its next segment, and snapshots.</summary>
    private const int OwnDescriptors = 64;

    /// <summary>Descriptors for outbound connections to peers, where the limit is not small.</summary>
    private const int OutboundMax = 128;

    private const int ClientsMin = 16;

    /// <summary>Maximum watches of the API: where the limit is small, clients need it more.</summary>
    public static int WatchesMax(int limit) => Math.Min(Watches.CountMax, limit / 16);

    /// <summary>Budget of this process, whose limit is raised first.</summary>
    /// <inheritdoc cref="Of(int, int)"/>
    public static DescriptorBudget Of(ServerOptions options)
    {
        int limit = DescriptorLimit.Raise();
        return Of(limit, options.Api.IsOn ? ApiServer.ConnectionsMax + WatchesMax(limit) : 0);
    }

    /// <param name="limit">Descriptors that the process may have open at once.</param>
    /// <param name="api">Maximum connections of the API.</param>
    /// <exception cref="OperatingException">The limit leaves too few descriptors for clients.</exception>
    public static DescriptorBudget Of(int limit, int api = 0)
    {
        int peers = Math.Min(Listeners.PeerConnectionsMax, limit / 4);
        int clients = limit - OwnDescriptors - api - peers - Math.Min(OutboundMax, limit / 8);
        if (clients < ClientsMin)
        {
            throw new OperatingException(
                $"the limit of {limit} open descriptors is too low to serve clients: raise it, with ulimit -n or "
                + "LimitNOFILE, to 1024 at least");
        }
        return new DescriptorBudget(clients, peers);
    }

    /// <summary>Lowers the number of connections to the budget.</summary>
    public HttpLimits Bound(HttpLimits limits, ILogger log)
    {
        int beyond = Math.Min(limits.ConnectionsBeyondMax, Clients / 4);
        int connections = Math.Min(limits.ConnectionsMax, Clients - beyond);
        if (connections < limits.ConnectionsMax)
            StartLogLines.ConnectionsLowered(log, connections, limits.ConnectionsMax);
        return limits with { ConnectionsMax = connections, ConnectionsBeyondMax = beyond };
    }
}
