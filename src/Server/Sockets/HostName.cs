using System.Net;
using System.Net.Sockets;

namespace RaftFast.Server.Sockets;

/// <summary>Resolves host names, as this machine sees them.</summary>
internal static class HostName
{
    /// <summary>
    /// Returns an address of the name, or null if it has none. IPv4 addresses come first, so that localhost is
    /// 127.0.0.1.
    /// </summary>
    public static IPAddress? Resolve(string host)
    {
        IPAddress[] addresses;
        try
        {
            addresses = Dns.GetHostAddresses(host);
        }
        catch (Exception e) when (e is SocketException or ArgumentException)
        {
            return null;
        }
        foreach (IPAddress address in addresses)
        {
            if (address.AddressFamily == AddressFamily.InterNetwork)
                return address;
        }
        return addresses.Length > 0 ? addresses[0] : null;
    }
}
