using System.Net;

namespace RaftFast.Protocol;

/// <summary>
/// Address at which a node listens for its peers. The URL of an address has a scheme, a host and a port, and nothing
/// else.
/// </summary>
public sealed record PeerAddress(string Host, int Port)
{
    /// <summary>Maximum bytes of a URL: scheme, the longest host name, and port.</summary>
    public const int UrlBytesMax = 268;

    /// <summary>Maximum bytes of a host name as text (RFC 1035 §2.3.4).</summary>
    private const int HostBytesMax = 253;

    /// <summary>
    /// Parses a URL. If the URL is not a node's address, returns null and gives the reason in <paramref name="error"/>.
    /// </summary>
    /// <param name="error">The fault of <paramref name="url"/>, and the form that is expected.</param>
    public static PeerAddress? TryParse(string url, out string? error)
    {
        error = null;
        string host = "";
        if (!Uri.TryCreate(url, UriKind.Absolute, out Uri? uri) || uri.Host.Length == 0)
            error = $"'{url}' is not a URL; a member's is like http://127.0.0.1:9021";
        else if (uri.Scheme == Uri.UriSchemeHttps)
            error = $"'{url}' asks for TLS between members, which is not supported yet; use http";
        else if (uri.Scheme != Uri.UriSchemeHttp)
            error = $"'{url}' has the scheme {uri.Scheme}; a member's URL begins with http://";
        else if (uri.PathAndQuery != "/" || uri.Fragment.Length > 0 || uri.UserInfo.Length > 0)
            error = $"'{url}' has more than a host and a port; a member's URL is like http://127.0.0.1:9021";
        else if (uri.Port is <= 0 or > 65535)
            error = $"'{url}' has no usable port; a member's URL is like http://127.0.0.1:9021";
        else if (!TryGetHost(uri, out host))
            error = $"'{url}' has a host name that is invalid in DNS; a member's URL is like http://127.0.0.1:9021";
        else if (IPAddress.TryParse(host, out IPAddress? address) && IsWildcard(address))
            error = $"'{url}' names no machine that other members could dial; give the member's own address";
        return error is null ? new PeerAddress(host, uri!.Port) : null;
    }

    private static bool IsWildcard(IPAddress address) =>
        address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any);

    /// <summary>
    /// Gets the host name in ASCII, as DNS needs it (RFC 5891). If the name is invalid or too long, returns false.
    /// </summary>
    private static bool TryGetHost(Uri uri, out string host)
    {
        host = "";
        try
        {
            host = uri.IdnHost;
        }
        catch (UriFormatException)
        {
            return false;
        }
        return host.Length is > 0 and <= HostBytesMax;
    }

    public override string ToString() =>
        Host.Contains(':', StringComparison.Ordinal) ? $"http://[{Host}]:{Port}" : $"http://{Host}:{Port}";
}
