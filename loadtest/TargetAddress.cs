using System.Net;
using System.Net.Sockets;

namespace RaftFast.LoadTest;

/// <summary>A member's HTTP port, from its URL. Load goes to this machine, unless somebody insists.</summary>
internal static class TargetAddress
{
    /// <param name="error">What is wrong and what would be right.</param>
    public static IPEndPoint? TryParse(string url, bool allowsRemote, out string? error)
    {
        error = null;
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) || uri.Scheme != Uri.UriSchemeHttp || uri.PathAndQuery != "/")
        {
            error = $"--target is '{url}'; it must be a URL like http://127.0.0.1:9121";
            return null;
        }
        IPAddress? address = Resolve(uri.DnsSafeHost, allowsRemote);
        bool isOwn = address is not null && IPAddress.IsLoopback(address);
        if (address is null && allowsRemote)
            error = $"--target is '{url}', and there is no address for {uri.DnsSafeHost}";
        else if (!isOwn && !allowsRemote)
            error = $"--target is '{url}', which is not this machine's loopback; --allow-remote says that its owner agreed to the load";
        return error is null ? new IPEndPoint(address!, uri.Port) : null;
    }

    /// <summary>No name but localhost is looked up unless another machine may be meant.</summary>
    private static IPAddress? Resolve(string host, bool allowsRemote)
    {
        if (IPAddress.TryParse(host, out IPAddress? address))
            return address;
        if (host == "localhost")
            return IPAddress.Loopback;
        if (!allowsRemote)
            return null;
        try
        {
            return Dns.GetHostAddresses(host).FirstOrDefault();
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
