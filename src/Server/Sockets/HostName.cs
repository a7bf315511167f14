using System.Net;
using System.Net.Sockets;

namespace RaftFast.Server.Sockets;

/// <summary>What a host name means on this machine.</summary>
internal static class HostName
{
    /// <summary>The name's address, of IPv4 if it has one: then localhost is 127.0.0.1. Null when it has none.</summary>
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
