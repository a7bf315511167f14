using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;

namespace RaftFast.Server.Sockets;

/// <summary>The address at which a node listens for its peers, derived from the node's own URL.</summary>
internal static partial class PeerEndPoint
{
    /// <summary>
    /// Returns the URL's address if this machine has it, else every address, because the URL may name a router that
    /// forwards. A name that means loopback here may mean another address to the peers: Debian gives a machine's own
    /// name 127.0.1.1. So of all names for loopback only localhost counts as such.
    /// </summary>
    public static IPEndPoint Of(PeerAddress own, ILogger log)
    {
        bool isLiteral = IPAddress.TryParse(own.Host, out IPAddress? address);
        address ??= HostName.Resolve(own.Host);
        bool isForPeers =
            isLiteral || own.Host == "localhost" || (address is not null && !IPAddress.IsLoopback(address));
        if (address is not null && isForPeers && IsLocal(address))
            return new IPEndPoint(address, own.Port);
        LogEveryAddress(log, own);
        return new IPEndPoint(Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any, own.Port);
    }

    private static bool IsLocal(IPAddress address)
    {
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
        LogLevel.Information,
        "{Url} does not name one address of this machine: listening for peers on all addresses")]
    private static partial void LogEveryAddress(ILogger log, PeerAddress url);
}
