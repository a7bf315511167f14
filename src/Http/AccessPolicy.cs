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

    /// <summary>Answers requests to any host.</summary>
    public static AccessPolicy AnyHost { get; } = new(null);

    /// <summary>Answers requests to IP addresses, to localhost and to these host names.</summary>
    /// <param name="hosts">Names, without ports.</param>
    public static AccessPolicy OnlyHosts(IReadOnlyList<string> hosts) => new(hosts);

    /// <returns>Null if the request may pass.</returns>
    internal Refusal? Judge(in RequestHead head)
    {
        AccessClaims claims = new()
        {
            Authority = head.Authority.IsEmpty ? head.Fields.Host : head.Authority,
            HasOrigin = head.Fields.HasOrigin,
            Origin = head.Fields.Origin,
            FetchSite = head.Fields.FetchSite,
            FetchMode = head.Fields.FetchMode,
            FetchDestination = head.Fields.FetchDestination,
            OnlyReads = head.Method is RequestMethod.Get or RequestMethod.Head,
        };
        return Judge(claims) switch
        {
            AccessVerdict.OtherHost => Refusal.OtherHost,
            AccessVerdict.OtherSite => Refusal.OtherSite,
            _ => null,
        };
    }

    public AccessVerdict Judge(in AccessClaims claims)
    {
        if (hosts is not null && !claims.Authority.IsEmpty && !IsOwn(HostOf(claims.Authority)))
            return AccessVerdict.OtherHost;
        return IsForeignPage(claims) && !IsNavigation(claims) ? AccessVerdict.OtherSite : AccessVerdict.Passes;
    }

    /// <summary>
    /// True if the request comes from a page of another origin (RFC 6454 §7; a page that hides its origin sends
    /// "null"), or if the browser says so itself (Sec-Fetch-Site of Fetch Metadata).
    /// </summary>
    private static bool IsForeignPage(in AccessClaims claims)
    {
        if (claims.FetchSite.SequenceEqual("cross-site"u8) || claims.FetchSite.SequenceEqual("same-site"u8))
            return true;
        if (!claims.HasOrigin)
            return false;
        int scheme = claims.Origin.IndexOf("://"u8);
        return scheme < 0 || !Ascii.EqualsIgnoreCase(claims.Origin[(scheme + 3)..], claims.Authority);
    }

    /// <summary>
    /// True if the user follows a link or types an address. The other page cannot see a document that opens in a window
    /// of its own.
    /// </summary>
    private static bool IsNavigation(in AccessClaims claims) =>
        claims.OnlyReads
        && claims.FetchMode.SequenceEqual("navigate"u8)
        && claims.FetchDestination.SequenceEqual("document"u8);

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

/// <summary>The parts of a request that tell where it comes from. An absent header is empty.</summary>
public readonly ref struct AccessClaims
{
    /// <summary>Host and port that the request names.</summary>
    public ReadOnlySpan<byte> Authority { get; init; }

    /// <summary>True if there is an Origin header, which may be empty.</summary>
    public bool HasOrigin { get; init; }

    public ReadOnlySpan<byte> Origin { get; init; }

    /// <summary>Sec-Fetch-Site.</summary>
    public ReadOnlySpan<byte> FetchSite { get; init; }

    /// <summary>Sec-Fetch-Mode.</summary>
    public ReadOnlySpan<byte> FetchMode { get; init; }

    /// <summary>Sec-Fetch-Dest.</summary>
    public ReadOnlySpan<byte> FetchDestination { get; init; }

    /// <summary>True for GET and HEAD.</summary>
    public bool OnlyReads { get; init; }
}

public enum AccessVerdict
{
    Passes,

    /// <summary>The Host is not this server's: 421.</summary>
    OtherHost,

    /// <summary>A page of another site sent the request: 403.</summary>
    OtherSite,
}
