using System.Buffers;
using System.Text;

namespace RaftFast.Http;

/// <summary>
/// Keeps pages of other sites out. A browser lets any page send a form or a simple fetch to any address. A page can
/// also make its own host name resolve to this machine (DNS rebinding). The browser adds headers to such requests that
/// no page can forge. Other clients, such as curl, send none of these headers.
/// </summary>
public sealed class AccessPolicy
{
    private static readonly SearchValues<byte> AddressBytes = SearchValues.Create("0123456789."u8);

    /// <summary>Host names that are answered; null for any.</summary>
    private readonly List<byte[]>? hosts;

    private AccessPolicy(IReadOnlyList<string>? hosts)
    {
        if (hosts is null)
            return;
        this.hosts = [];
        foreach (string host in hosts)
            this.hosts.Add(Encoding.ASCII.GetBytes(host.TrimEnd('.')));
    }

    /// <summary>Answers a request whatever host it names.</summary>
    public static AccessPolicy AnyHost { get; } = new(null);

    /// <summary>Answers requests to IP addresses, to localhost and to these host names.</summary>
    /// <param name="hosts">Names, without ports.</param>
    public static AccessPolicy OnlyHosts(IReadOnlyList<string> hosts) => new(hosts);

    /// <returns>Null if the request may pass.</returns>
    internal Refusal? Judge(in RequestHead head)
    {
        ReadOnlySpan<byte> authority = head.Authority.IsEmpty ? head.Fields.Host : head.Authority;
        if (hosts is not null && !authority.IsEmpty && !IsOwn(HostOf(authority)))
            return Refusal.OtherHost;
        if (IsForeignPage(head.Fields, authority) && !IsNavigation(head))
            return Refusal.OtherSite;
        return null;
    }

    /// <summary>
    /// True if the request comes from a page of another origin (RFC 6454 §7; a page that hides its origin sends
    /// "null"), or if the browser says so itself (Sec-Fetch-Site of Fetch Metadata).
    /// </summary>
    private static bool IsForeignPage(in RequestFields fields, ReadOnlySpan<byte> authority)
    {
        if (fields.FetchSite.SequenceEqual("cross-site"u8) || fields.FetchSite.SequenceEqual("same-site"u8))
            return true;
        if (!fields.HasOrigin)
            return false;
        int scheme = fields.Origin.IndexOf("://"u8);
        return scheme < 0 || !Ascii.EqualsIgnoreCase(fields.Origin[(scheme + 3)..], authority);
    }

    /// <summary>
    /// True if the user follows a link or types an address. The other page cannot see a document that opens in a window
    /// of its own.
    /// </summary>
    private static bool IsNavigation(in RequestHead head) =>
        head.Method is RequestMethod.Get or RequestMethod.Head
        && head.Fields.FetchMode.SequenceEqual("navigate"u8)
        && head.Fields.FetchDestination.SequenceEqual("document"u8);

    private bool IsOwn(ReadOnlySpan<byte> host)
    {
        // An IP address cannot be made to resolve elsewhere.
        if (host.Length > 0 && (host[0] == '[' || !host.ContainsAnyExcept(AddressBytes)))
            return true;
        if (host.Length > 0 && host[^1] == '.')
            host = host[..^1];
        if (Ascii.EqualsIgnoreCase(host, "localhost"u8))
            return true;
        foreach (byte[] own in hosts!)
        {
            if (Ascii.EqualsIgnoreCase(host, own))
                return true;
        }
        return false;
    }

    /// <summary>Returns the authority without its port.</summary>
    private static ReadOnlySpan<byte> HostOf(ReadOnlySpan<byte> authority)
    {
        int colon = authority.LastIndexOf((byte)':');
        return colon < 0 || authority[colon..].Contains((byte)']') ? authority : authority[..colon];
    }
}
