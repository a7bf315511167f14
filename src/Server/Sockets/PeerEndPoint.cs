using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;

namespace RaftFast.Server.Sockets;

/// <summary>
/// Finds the address at which a node listens for its peers: <c>--peer-listen</c>, else the host of the node's own URL.
/// The node never listens on more addresses than it was told.
/// </summary>
/// <param name="resolve">Returns the addresses of a name, none for a name that does not resolve.</param>
/// <param name="given">The value of <c>--peer-listen</c>, or null.</param>
internal sealed partial class PeerEndPoint(
    Func<string, IPAddress[]> resolve, IPAddress? given, TimeProvider time, ILogger log)
{
    /// <summary>Time from one line about a name that does not resolve to the next.</summary>
    private static readonly TimeSpan RepeatAfter = TimeSpan.FromSeconds(30);

    /// <summary>Pause before a name that did not resolve is looked up again.</summary>
    public TimeSpan RetryPause { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Waits until the host resolves. A name for a loopback address other than localhost is refused unless all members
    /// are on loopback: Debian gives a machine's own name 127.0.1.1, at which no other machine reaches it.
    /// </summary>
    /// <param name="own">The node's own URL.</param>
    /// <param name="hosts">Hosts of all members, as far as the node knows them.</param>
    /// <returns>Null if the process is asked to stop before the host resolves.</returns>
    /// <exception cref="ListenException">Peers could not reach this node at the host's address.</exception>
    public async Task<IPEndPoint?> FindAsync(PeerAddress own, IReadOnlyList<string> hosts, CancellationToken stop)
    {
        try
        {
            return new IPEndPoint(await FindAddressAsync(own, hosts, stop), own.Port);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<IPAddress> FindAddressAsync(PeerAddress own, IReadOnlyList<string> hosts, CancellationToken stop)
    {
        if (given is not null)
            return given;
        if (IPAddress.TryParse(own.Host, out IPAddress? literal))
            return IsLocal(literal) ? literal : throw Foreign(own, literal);
        IPAddress[] addresses = await ResolveAsync(own, stop);
        if (Array.Find(addresses, static address => !IPAddress.IsLoopback(address) && IsLocal(address)) is { } local)
            return local;
        if (Array.Find(addresses, static address => !IPAddress.IsLoopback(address)) is { } foreign)
            throw Foreign(own, foreign);
        if (own.Host == "localhost" || await AreOnLoopbackAsync(hosts, stop))
            return addresses[0];
        throw new ListenException(
            $"can't listen for the other members at {own}: on this machine {own.Host} is {addresses[0]}, where the "
            + "others could not reach it; give the address to listen on, or * for all, with --peer-listen");
    }

    private static ListenException Foreign(PeerAddress own, IPAddress address) => new(
        $"can't listen for the other members at {own}: this machine doesn't have the address {address}; if another "
        + "machine forwards to this one, give the address to listen on, or * for all, with --peer-listen");

    private async Task<IPAddress[]> ResolveAsync(PeerAddress own, CancellationToken stop)
    {
        IPAddress[] addresses;
        long logged = 0;
        for (bool isFirst = true; (addresses = await LookUpAsync(own.Host, stop)).Length == 0; isFirst = false)
        {
            if (isFirst || time.GetElapsedTime(logged) >= RepeatAfter)
            {
                logged = time.GetTimestamp();
                LogUnresolved(log, own.Host, own);
            }
            await Task.Delay(RetryPause, stop);
        }
        return addresses;
    }

    private async Task<bool> AreOnLoopbackAsync(IReadOnlyList<string> hosts, CancellationToken stop)
    {
        foreach (string host in hosts)
        {
            bool isLiteral = IPAddress.TryParse(host, out IPAddress? literal);
            if (!IsLoopback(isLiteral ? [literal!] : await LookUpAsync(host, stop)))
                return false;
        }
        return hosts.Count > 0;
    }

    /// <summary>A look-up cannot be cancelled and may take many seconds, so it runs beside the wait.</summary>
    private Task<IPAddress[]> LookUpAsync(string host, CancellationToken stop) =>
        Task.Run(() => resolve(host), stop).WaitAsync(stop);

    private static bool IsLoopback(IPAddress[] addresses) =>
        addresses.Length > 0 && Array.TrueForAll(addresses, IPAddress.IsLoopback);

    /// <summary>True for a single address of this machine; false for the wildcard, which means all addresses.</summary>
    private static bool IsLocal(IPAddress address)
    {
        if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            return false;
        try
        {
            using Socket probe = new(address.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            probe.Bind(new IPEndPoint(address, 0));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    [LoggerMessage(
        LogLevel.Warning,
        "{Host} has no address yet: waiting for one, to listen for the other members at {Url}; "
        + "to listen without one, give --peer-listen")]
    private static partial void LogUnresolved(ILogger log, string host, PeerAddress url);
}
