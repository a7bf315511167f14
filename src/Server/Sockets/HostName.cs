using System.Net;
using System.Net.Sockets;

namespace RaftFast.Server.Sockets;

/// <summary>Resolves host names, as this machine sees them.</summary>
internal static class HostName
{
    /// <summary>
    /// Returns the addresses of the name, none if it does not resolve. IPv4 addresses come first, so that localhost is
    /// 127.0.0.1.
    /// </summary>
    public static IPAddress[] Resolve(string host)
    {
        IPAddress[] addresses;
        try
        {
            addresses = Dns.GetHostAddresses(host);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            return [];
        }
        return
        [
            .. Array.FindAll(addresses, static address => address.AddressFamily == AddressFamily.InterNetwork),
            .. Array.FindAll(addresses, static address => address.AddressFamily != AddressFamily.InterNetwork),
        ];
    }
}
