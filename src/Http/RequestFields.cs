using System.Buffers;
using System.Buffers.Text;
using System.Text;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// The headers that decide where a request ends and whether its connection stays open. They are read strictly (RFC 9112
/// §6.3, §11.2).
/// </summary>
internal struct RequestFields
{
    private static readonly SearchValues<byte> HostBytes =
        SearchValues.Create("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~%!$&'()*+;=:[]"u8);

    private bool hasHost;
    private bool hasTransferEncoding;
    private bool hasOtherCoding;
    private bool hasOtherExpectation;
    private bool saysClose;
    private bool saysKeepAlive;
    private bool saysContinue;

    public bool IsVersion10 { get; set; }

    public bool HasContentLength { get; private set; }

    /// <summary>Bytes of the body, or 0 without a Content-Length.</summary>
    public long ContentLength { get; private set; }

    public readonly bool IsChunked => hasTransferEncoding;

    public readonly bool HasBody => IsChunked || ContentLength > 0;

    /// <summary>
    /// True if the client asked for <c>100 Continue</c>. Ignored in HTTP/1.0 and without a body (RFC 9110 §10.1.1).
    /// </summary>
    public readonly bool ExpectsContinue => saysContinue && !IsVersion10 && HasBody;

    /// <summary>True if the connection stays open after this request (RFC 9112 §9.3).</summary>
    public readonly bool KeepsAlive => !saysClose && (!IsVersion10 || saysKeepAlive);

    public Refusal? Add(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        switch (name.Length)
        {
            case 4 when Ascii.EqualsIgnoreCase(name, "host"u8):
                bool repeated = hasHost;
                hasHost = true;
                return repeated || value.ContainsAnyExcept(HostBytes) ? Refusal.Host : null;
            case 6 when Ascii.EqualsIgnoreCase(name, "expect"u8):
                if (Ascii.EqualsIgnoreCase(value, "100-continue"u8))
                    saysContinue = true;
                else
                    hasOtherExpectation = true;
                return null;
            case 10 when Ascii.EqualsIgnoreCase(name, "connection"u8):
                AddConnectionOptions(value);
                return null;
            case 14 when Ascii.EqualsIgnoreCase(name, "content-length"u8):
                return AddContentLength(value);
            case 17 when Ascii.EqualsIgnoreCase(name, "transfer-encoding"u8):
                if (hasTransferEncoding)
                    return Refusal.Framing;
                hasTransferEncoding = true;
                hasOtherCoding = !Ascii.EqualsIgnoreCase(value, "chunked"u8);
                return null;
            default:
                return null;
        }
    }

    /// <summary>Checks all headers together, once they are known. Returns null if the request is valid.</summary>
    public readonly Refusal? Conclude(RequestMethod method)
    {
        // RFC 9112 §3.2.
        if (!hasHost && !IsVersion10)
            return Refusal.Host;
        // RFC 9112 §6.1: both framings, or a coding in HTTP/1.0, may be an attempt at request smuggling.
        if (hasTransferEncoding && (HasContentLength || IsVersion10))
            return Refusal.Framing;
        if (hasOtherCoding)
            return Refusal.TransferCoding;
        if (hasOtherExpectation && !IsVersion10)
            return Refusal.Expectation;
        if (method is RequestMethod.Put or RequestMethod.Post && !HasContentLength && !IsChunked)
            return Refusal.LengthRequired;
        return ContentLength > PutCommand.ValueBytesMax ? Refusal.BodySize : null;
    }

    /// <summary>
    /// Reads one decimal number. A second Content-Length, even an equal one, is refused, as are a list, a sign and an
    /// overflow.
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
