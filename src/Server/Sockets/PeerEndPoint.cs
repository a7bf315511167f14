using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;

namespace RaftFast.Server.Sockets;

/// <summary>Where a member listens for the others, as its own URL says.</summary>
internal static partial class PeerEndPoint
{
    /// <summary>
    /// The URL's address, if this machine has it; else every address, since the URL may name a forwarding router. A name that
    /// means loopback here may well mean another address to the others (Debian gives a machine's own name 127.0.1.1), so only
    /// localhost is taken at its word.
    /// </summary>
    public static IPEndPoint Of(PeerAddress own, ILogger log)
    {
        bool isLiteral = IPAddress.TryParse(own.Host, out IPAddress? address);
        address ??= HostName.Resolve(own.Host);
        bool isTheOthers = isLiteral || own.Host == "localhost" || (address is not null && !IPAddress.IsLoopback(address));
        if (address is not null && isTheOthers && IsLocal(address))
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

    [LoggerMessage(LogLevel.Information, "{Url} is not an address of this machine alone: listening for the other members on all of its addresses")]
    private static partial void LogEveryAddress(ILogger log, PeerAddress url);
}
