using System.Net;
using System.Net.Sockets;

namespace RaftFast.LoadTest;

/// <summary>
/// A member's HTTP address, parsed from its URL. Without <c>--allow-remote</c> the address must be this machine's
/// loopback.
/// </summary>
internal static class TargetAddress
{
    /// <param name="error">A line that says what is wrong and what is valid, or null.</param>
    public static IPEndPoint? TryParse(string url, bool allowsRemote, out string? error)
    {
        error = null;
        bool isUrl = Uri.TryCreate(url, UriKind.Absolute, out Uri? uri);
        if (!isUrl || uri!.Scheme != Uri.UriSchemeHttp || uri.PathAndQuery != "/")
        {
            error = $"--target is '{url}'; it must be a URL like http://127.0.0.1:9121";
            return null;
        }
        IPAddress? address = Resolve(uri.DnsSafeHost, allowsRemote);
        bool isOwn = address is not null && IPAddress.IsLoopback(address);
        if (address is null && allowsRemote)
            error = $"--target is '{url}', but {uri.DnsSafeHost} has no address: check the name";
        else if (!isOwn && !allowsRemote)
        {
            error = $"--target is '{url}', which is not this machine's loopback; "
                + "add --allow-remote if the other machine's owner agrees to the load";
        }
        return error is null ? new IPEndPoint(address!, uri.Port) : null;
    }

    /// <summary>Resolves a host. A name other than localhost is looked up only if remote targets are allowed.</summary>
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
