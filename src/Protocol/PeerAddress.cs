namespace RaftFast.Protocol;

/// <summary>Where a member's peer protocol listens, as its URL says: scheme, host and port, nothing else.</summary>
public sealed record PeerAddress(string Host, int Port)
{
    /// <summary>A host name of 253 bytes (RFC 1035 §2.3.4), with scheme and port.</summary>
    public const int UrlBytesMax = 272;

    /// <param name="error">What is wrong with <paramref name="url"/> and what would be right.</param>
    public static PeerAddress? TryParse(string url, out string? error)
    {
        error = null;
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
        else if (uri.IdnHost.Length > 253)
            error = "the host name of a member's URL is longer than 253 bytes";
        return error is null ? new PeerAddress(uri!.IdnHost, uri.Port) : null;
    }

    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"http://[{Host}]:{Port}" : $"http://{Host}:{Port}";
}
