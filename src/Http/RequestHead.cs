using System.Buffers;
using System.Text;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// Request line and headers (RFC 9112 §2 to §6), parsed from their first byte whenever more has arrived: nothing is kept
/// in between, so the outcome depends on the bytes and not on how they were cut. Lines end with CRLF, nothing else.
/// </summary>
internal ref struct RequestHead
{
    /// <summary>The longest method that is told from garbage; the longest registered one has 17 bytes (RFC 9110 §16.1).</summary>
    private const int MethodBytesMax = 32;

    private const int VersionLength = 8;

    /// <summary>Method, space, target, space, version, CR.</summary>
    public const int LineBytesMax = MethodBytesMax + 1 + PutCommand.KeyBytesMax + 1 + VersionLength + 1;

    /// <summary>
    /// Header lines. Since parsing starts over when more has arrived, it is this that keeps a client which sends single bytes
    /// from costing more than it pays.
    /// </summary>
    private const int FieldsMax = 100;

    /// <summary>RFC 9110 §5.6.2.</summary>
    private static readonly SearchValues<byte> TokenBytes =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    public RequestMethod Method { get; private set; }

    /// <summary>Path and query, as they were sent. Valid as long as the bytes that the head was parsed from.</summary>
    public ReadOnlySpan<byte> Target { get; private set; }

    /// <summary>Host and port of a target in absolute-form, which then counts and not the Host header (RFC 9112 §3.2.2); else empty.</summary>
    public ReadOnlySpan<byte> Authority { get; private set; }

    public RequestFields Fields;

    /// <summary>Bytes up to the body.</summary>
    public int Length { get; private set; }

    /// <param name="refusal">What is wrong, when the result is Invalid. Method is then known if the request line was valid.</param>
    public static DecodeStatus TryParse(ReadOnlySpan<byte> source, int headersBytesMax, out RequestHead head, out Refusal? refusal)
    {
        head = default;
        refusal = null;
        DecodeStatus status = ReadLine(source, LineBytesMax, out ReadOnlySpan<byte> line);
        if (status == DecodeStatus.Complete)
            refusal = head.ParseRequestLine(line);
        else
            refusal = RefuseBeginning(line);
        if (status == DecodeStatus.Invalid)
            refusal ??= line.Length > LineBytesMax ? Refusal.TargetSize : Refusal.RequestLine;
        if (refusal is not null)
            return DecodeStatus.Invalid;
        if (status != DecodeStatus.Complete)
            return status;
        return head.ParseHeaders(source, line.Length + 2, headersBytesMax, out refusal);
    }

    /// <param name="line">Without its CRLF; when incomplete or invalid, what there is of it, up to one byte more than the limit.</param>
    private static DecodeStatus ReadLine(ReadOnlySpan<byte> source, int bytesMax, out ReadOnlySpan<byte> line)
    {
        ReadOnlySpan<byte> window = source[..Math.Min(source.Length, bytesMax + 1)];
        int end = window.IndexOf((byte)'\n');
        line = end < 0 ? window : window[..end];
        if (end < 0)
            return window.Length > bytesMax ? DecodeStatus.Invalid : DecodeStatus.Incomplete;
        if (line.IsEmpty || line[^1] != '\r')
            return DecodeStatus.Invalid;
        line = line[..^1];
        return DecodeStatus.Complete;
    }

    /// <summary>Garbage, such as a TLS hello, may never send a line's end: it is known by where the method should be.</summary>
    private static Refusal? RefuseBeginning(ReadOnlySpan<byte> line)
    {
        int methodLength = line.IndexOfAnyExcept(TokenBytes);
        if (methodLength < 0)
            return line.Length > MethodBytesMax ? Refusal.RequestLine : null;
        return methodLength is 0 or > MethodBytesMax || line[methodLength] != ' ' ? Refusal.RequestLine : null;
    }

    private Refusal? ParseRequestLine(ReadOnlySpan<byte> line)
    {
        if (RefuseBeginning(line) is { } refusal)
            return refusal;
        int methodLength = line.IndexOf((byte)' ');
        int versionStart = line.LastIndexOf((byte)' ') + 1;
        if (methodLength < 0 || versionStart <= methodLength + 2)
            return Refusal.RequestLine;
        ReadOnlySpan<byte> target = line[(methodLength + 1)..(versionStart - 1)];
        ReadOnlySpan<byte> version = line[versionStart..];
        if (target.ContainsAnyInRange((byte)0, (byte)' ') || target.Contains((byte)0x7F))
            return Refusal.RequestLine;
        if (target.Length > PutCommand.KeyBytesMax)
            return Refusal.TargetSize;
        bool isVersion = version.Length == VersionLength && version.StartsWith("HTTP/"u8)
            && char.IsAsciiDigit((char)version[5]) && version[6] == '.' && char.IsAsciiDigit((char)version[7]);
        if (!isVersion)
            return Refusal.RequestLine;
        // RFC 9110 §2.5: a request of a higher minor version is answered as one of HTTP/1.1.
        if (version[5] != '1')
            return Refusal.Version;
        Method = MethodOf(line[..methodLength]);
        Fields.IsVersion10 = version[7] == '0';
        return Method == RequestMethod.Other ? null : ParseTarget(target);
    }

    /// <summary>RFC 9112 §3.2: origin-form, or absolute-form, of which path and query are the key.</summary>
    private Refusal? ParseTarget(ReadOnlySpan<byte> target)
    {
        if (target.Contains((byte)'#'))
            return Refusal.Target;
        if (target[0] != '/')
        {
            int scheme = target.IndexOf("://"u8);
            if (scheme < 0 || !(Ascii.EqualsIgnoreCase(target[..scheme], "http"u8) || Ascii.EqualsIgnoreCase(target[..scheme], "https"u8)))
                return Refusal.Target;
            ReadOnlySpan<byte> rest = target[(scheme + 3)..];
            int end = rest.IndexOfAny((byte)'/', (byte)'?');
            Authority = end < 0 ? rest : rest[..end];
            if (Authority.IsEmpty || Authority.Contains((byte)'@') || (end >= 0 && rest[end] == '?'))
                return Refusal.Target;
            // RFC 9110 §4.2.3: an empty path is the path /.
            target = end < 0 ? "/"u8 : rest[end..];
        }
        Target = target;
        return null;
    }

    private static RequestMethod MethodOf(ReadOnlySpan<byte> name) =>
        name.SequenceEqual("PUT"u8) ? RequestMethod.Put
        : name.SequenceEqual("GET"u8) ? RequestMethod.Get
        : name.SequenceEqual("POST"u8) ? RequestMethod.Post
        : name.SequenceEqual("DELETE"u8) ? RequestMethod.Delete
        : name.SequenceEqual("HEAD"u8) ? RequestMethod.Head
        : RequestMethod.Other;

    private DecodeStatus ParseHeaders(ReadOnlySpan<byte> source, int start, int bytesMax, out Refusal? refusal)
    {
        refusal = null;
        int position = start;
        for (int count = 0; ; count++)
        {
            int bytesLeft = bytesMax - (position - start);
            DecodeStatus status = ReadLine(source[position..], bytesLeft, out ReadOnlySpan<byte> line);
            if (status == DecodeStatus.Incomplete)
                return status;
            if (status == DecodeStatus.Invalid)
                refusal = line.Length > bytesLeft ? Refusal.HeadersSize : Refusal.HeaderLine;
            else if (line.IsEmpty)
                break;
            else
                refusal = count < FieldsMax ? ParseField(line) : Refusal.HeadersSize;
            if (refusal is not null)
                return DecodeStatus.Invalid;
            position += line.Length + 2;
        }
        Length = position + 2;
        refusal = Fields.Conclude(Method);
        return refusal is null ? DecodeStatus.Complete : DecodeStatus.Invalid;
    }

    private Refusal? ParseField(ReadOnlySpan<byte> line)
    {
        // RFC 9112 §5.1: no whitespace before the colon; §5.2: no folding. A name is a token, so neither gets through.
        int nameLength = line.IndexOf((byte)':');
        if (nameLength <= 0 || line[..nameLength].ContainsAnyExcept(TokenBytes))
            return Refusal.HeaderLine;
        ReadOnlySpan<byte> value = line[(nameLength + 1)..].Trim(" \t"u8);
        foreach (byte b in value)
        {
            if (b is < (byte)' ' and not (byte)'\t' or 0x7F)
                return Refusal.HeaderLine;
        }
        return Fields.Add(line[..nameLength], value);
    }
}
