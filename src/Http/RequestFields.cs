using System.Buffers;
using System.Buffers.Text;
using System.Text;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// Headers that decide the end of a request, the life of its connection, and access; framing is strict (RFC 9112 §6.3,
/// §11.2).
/// </summary>
internal ref struct RequestFields
{
    private static readonly SearchValues<byte> HostBytes =
        SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~%!$&'()*+;=:[]"u8);

    private bool hasHost;
    private bool hasContentRange;
    private bool lastCodingIsChunked;
    private bool hasTransferEncoding;
    private bool hasOtherCoding;
    private bool hasOtherExpectation;
    private bool saysClose;
    private bool saysKeepAlive;
    private bool saysContinue;

    public bool IsVersion10 { get; set; }

    /// <summary>True if the request has a header that <see cref="KeyFields"/> parses.</summary>
    public bool HasKeyFields { get; private set; }

    /// <summary>Value of the Host header; empty if there is none.</summary>
    public ReadOnlySpan<byte> Host { get; private set; }

    public bool HasOrigin { get; private set; }

    /// <summary>
    /// Value of the Origin header. If there are several such headers, which no browser sends, the value is empty and
    /// equals no authority.
    /// </summary>
    public ReadOnlySpan<byte> Origin { get; private set; }

    /// <summary>Value of the Sec-Fetch-Site header (Fetch Metadata).</summary>
    public ReadOnlySpan<byte> FetchSite { get; private set; }

    public ReadOnlySpan<byte> FetchMode { get; private set; }

    public ReadOnlySpan<byte> FetchDestination { get; private set; }

    public bool HasContentLength { get; private set; }

    /// <summary>Value of the Content-Length in bytes; 0 if there is none.</summary>
    public long ContentLength { get; private set; }

    public readonly bool IsChunked => hasTransferEncoding;

    public readonly bool HasBody => IsChunked || ContentLength > 0;

    /// <summary>
    /// True if the client waits for 100 Continue. The expectation has no meaning in HTTP/1.0 or without a body (RFC
    /// 9110 §10.1.1).
    /// </summary>
    public readonly bool ExpectsContinue => saysContinue && !IsVersion10 && HasBody;

    /// <summary>True if the connection stays open after the answer (RFC 9112 §9.3).</summary>
    public readonly bool KeepsAlive => !saysClose && (!IsVersion10 || saysKeepAlive);

    public Refusal? Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        switch (name.Length)
        {
            case 4 when Ascii.EqualsIgnoreCase(name, "host"u8):
                bool repeated = hasHost;
                hasHost = true;
                Host = value;
                return repeated || value.ContainsAnyExcept(HostBytes) ? Refusal.Host : null;
            case 6 when Ascii.EqualsIgnoreCase(name, "origin"u8):
                Origin = HasOrigin ? default : value;
                HasOrigin = true;
                return null;
            case 6 when Ascii.EqualsIgnoreCase(name, "expect"u8):
                if (Ascii.EqualsIgnoreCase(value, "100-continue"u8))
                    saysContinue = true;
                else
                    hasOtherExpectation = true;
                return null;
            case 10 when Ascii.EqualsIgnoreCase(name, "connection"u8):
                AddConnectionOptions(value);
                return null;
            case 13 when Ascii.EqualsIgnoreCase(name, "content-range"u8):
                hasContentRange = true;
                return null;
            case 14 when Ascii.EqualsIgnoreCase(name, "content-length"u8):
                return AddContentLength(value);
            case 14 when Ascii.EqualsIgnoreCase(name, "sec-fetch-site"u8):
                FetchSite = value;
                return null;
            case 14 when Ascii.EqualsIgnoreCase(name, "sec-fetch-mode"u8):
                FetchMode = value;
                return null;
            case 14 when Ascii.EqualsIgnoreCase(name, "sec-fetch-dest"u8):
                FetchDestination = value;
                return null;
            case 17 when Ascii.EqualsIgnoreCase(name, "transfer-encoding"u8):
                if (hasTransferEncoding)
                    return Refusal.Framing;
                hasTransferEncoding = true;
                hasOtherCoding = !Ascii.EqualsIgnoreCase(value, "chunked"u8);
                ReadOnlySpan<byte> last = value[(value.LastIndexOf((byte)',') + 1)..].Trim(" \t"u8);
                lastCodingIsChunked = Ascii.EqualsIgnoreCase(last, "chunked"u8);
                return null;
            default:
                HasKeyFields |= KeyFields.Has(name);
                return null;
        }
    }

    /// <summary>Returns the refusal that all headers together demand, or null.</summary>
    public readonly Refusal? Conclude(RequestMethod method)
    {
        // RFC 9112 §3.2.
        if (!hasHost && !IsVersion10)
            return Refusal.Host;
        // RFC 9112 §6.1: both headers, or a coding in HTTP/1.0, are a smuggling attempt or look like one.
        if (hasTransferEncoding && (HasContentLength || IsVersion10))
            return Refusal.Framing;
        // RFC 9112 §6.3: the body's end cannot be found without chunked as the last coding.
        if (hasTransferEncoding && !lastCodingIsChunked)
            return Refusal.LastCoding;
        if (hasOtherCoding)
            return Refusal.TransferCoding;
        // RFC 9110 §14.5: a part must not be stored as the whole value.
        if (hasContentRange && method == RequestMethod.Put)
            return Refusal.ContentRange;
        if (hasOtherExpectation && !IsVersion10)
            return Refusal.Expectation;
        if (method is RequestMethod.Put or RequestMethod.Post && !HasContentLength && !IsChunked)
            return Refusal.LengthRequired;
        return ContentLength > PutCommand.ValueBytesMax ? Refusal.BodySize : null;
    }

    /// <summary>
    /// Accepts one decimal number. Refuses a list, a sign, an overflow, and a second header even with the same number.
    /// </summary>
    private Refusal? AddContentLength(ReadOnlySpan<byte> value)
    {
        long length = 0;
        bool isNumber = !value.ContainsAnyExceptInRange((byte)'0', (byte)'9')
            && Utf8Parser.TryParse(value, out length, out _);
        if (HasContentLength || !isNumber)
            return Refusal.ContentLength;
        HasContentLength = true;
        ContentLength = length;
        return null;
    }

    private void AddConnectionOptions(ReadOnlySpan<byte> value)
    {
        foreach (Range range in value.Split((byte)','))
        {
            ReadOnlySpan<byte> option = value[range].Trim(" \t"u8);
            saysClose |= Ascii.EqualsIgnoreCase(option, "close"u8);
            saysKeepAlive |= Ascii.EqualsIgnoreCase(option, "keep-alive"u8);
        }
    }
}
