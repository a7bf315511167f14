using System.Net;

namespace RaftFast.Protocol;

/// <summary>Where a member's peer protocol listens, as its URL says: scheme, host and port, nothing else.</summary>
public sealed record PeerAddress(string Host, int Port)
{
    /// <summary>A host name of the greatest length, with scheme and port.</summary>
    public const int UrlBytesMax = 272;

    /// <summary>RFC 1035 §2.3.4, as text.</summary>
    private const int HostBytesMax = 253;

    /// <param name="error">What is wrong with <paramref name="url"/> and what would be right.</param>
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
            error = $"'{url}' has a host name that no machine can have; a member's URL is like http://127.0.0.1:9021";
        else if (IPAddress.TryParse(host, out IPAddress? address) && (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any)))
            error = $"'{url}' names no machine that others could find; give an address of this member's";
        return error is null ? new PeerAddress(host, uri!.Port) : null;
    }

    /// <summary>As DNS has it: in ASCII (RFC 5891), and no longer than a name may be.</summary>
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

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"http://[{Host}]:{Port}" : $"http://{Host}:{Port}";
}
