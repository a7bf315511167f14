using System.Buffers;
using System.Buffers.Text;
using System.Text;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>The headers that decide where a request ends and whether its connection stays: strictly (RFC 9112 §6.3, §11.2).</summary>
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

    /// <summary>Empty when there is no Host.</summary>
    public ReadOnlySpan<byte> Host { get; private set; }

    public bool HasOrigin { get; private set; }

    /// <summary>Empty when there are several Origins, which no browser sends: it then equals no authority.</summary>
    public ReadOnlySpan<byte> Origin { get; private set; }

    /// <summary>Sec-Fetch-Site, Sec-Fetch-Mode and Sec-Fetch-Dest of Fetch Metadata.</summary>
    public ReadOnlySpan<byte> FetchSite { get; private set; }

    public ReadOnlySpan<byte> FetchMode { get; private set; }

    public ReadOnlySpan<byte> FetchDestination { get; private set; }

    public bool HasContentLength { get; private set; }

    /// <summary>Bytes of body, if there is a Content-Length.</summary>
    public long ContentLength { get; private set; }

    public readonly bool IsChunked => hasTransferEncoding;

    public readonly bool HasBody => IsChunked || ContentLength > 0;

    /// <summary>RFC 9110 §10.1.1: of no meaning in HTTP/1.0 and without a body.</summary>
    public readonly bool ExpectsContinue => saysContinue && !IsVersion10 && HasBody;

    /// <summary>RFC 9112 §9.3.</summary>
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
                lastCodingIsChunked = Ascii.EqualsIgnoreCase(value[(value.LastIndexOf((byte)',') + 1)..].Trim(" \t"u8), "chunked"u8);
                return null;
            default:
                return null;
        }
    }

    /// <summary>What all the headers together make impossible, once they are known.</summary>
    public readonly Refusal? Conclude(RequestMethod method)
    {
        // RFC 9112 §3.2.
        if (!hasHost && !IsVersion10)
            return Refusal.Host;
        // RFC 9112 §6.1: both, or a coding in HTTP/1.0, is an attempt at smuggling or a mistake that looks like one.
        if (hasTransferEncoding && (HasContentLength || IsVersion10))
            return Refusal.Framing;
        // RFC 9112 §6.3: then the body's end can't be found.
        if (hasTransferEncoding && !lastCodingIsChunked)
            return Refusal.LastCoding;
        if (hasOtherCoding)
            return Refusal.TransferCoding;
        // RFC 9110 §14.5: a part of a value must not be taken for the whole.
        if (hasContentRange && method == RequestMethod.Put)
            return Refusal.ContentRange;
        if (hasOtherExpectation && !IsVersion10)
            return Refusal.Expectation;
        if (method is RequestMethod.Put or RequestMethod.Post && !HasContentLength && !IsChunked)
            return Refusal.LengthRequired;
        return ContentLength > PutCommand.ValueBytesMax ? Refusal.BodySize : null;
    }

    /// <summary>One decimal number: a second one, even an equal one, a list, a sign or an overflow is refused.</summary>
    private Refusal? AddContentLength(ReadOnlySpan<byte> value)
    {
        long length = 0;
        bool isNumber = !value.ContainsAnyExceptInRange((byte)'0', (byte)'9') && Utf8Parser.TryParse(value, out length, out _);
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
