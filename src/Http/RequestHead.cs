using System.Buffers;
using System.Text;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// Request line and headers (RFC 9112 §2 to §6). Parsing starts at the first byte whenever more bytes have arrived and
/// keeps nothing in between. So the outcome depends on the bytes, not on how they were cut. Lines end with CRLF only.
/// </summary>
internal ref struct RequestHead
{
    /// <summary>
    /// Maximum bytes of a method; a longer one is garbage. The longest registered method has 17 bytes (RFC 9110 §16.1).
    /// </summary>
    private const int MethodBytesMax = 32;

    private const int VersionLength = 8;

    /// <summary>Maximum bytes of method, space, target, space, version and CR.</summary>
    public const int LineBytesMax = MethodBytesMax + 1 + PutCommand.KeyBytesMax + 1 + VersionLength + 1;

    /// <summary>
    /// Maximum header lines. Parsing starts over with each arrival, so this bounds the cost of a client that sends
    /// single bytes.
    /// </summary>
    private const int FieldsMax = 100;

    /// <summary>Bytes of a token (RFC 9110 §5.6.2).</summary>
    private static readonly SearchValues<byte> TokenBytes =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    public RequestMethod Method { get; private set; }

    /// <summary>
    /// Path and query as the client sent them. Valid as long as the bytes from which the head was parsed.
    /// </summary>
    public ReadOnlySpan<byte> Target { get; private set; }

    /// <summary>
    /// Host and port of a target in absolute-form, which replace the Host header (RFC 9112 §3.2.2); else empty.
    /// </summary>
    public ReadOnlySpan<byte> Authority { get; private set; }

    public RequestFields Fields;

    /// <summary>Header lines of a head that has <see cref="KeyFields"/>; else empty.</summary>
    private ReadOnlySpan<byte> lines;

    /// <summary>Number of bytes before the body.</summary>
    public int Length { get; private set; }

    /// <param name="refusal">The fault if the result is Invalid. Method is then known if the request line was
    /// valid.</param>
    public static DecodeStatus TryParse(
        ReadOnlySpan<byte> source, int headersBytesMax, out RequestHead head, out Refusal? refusal)
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

    /// <param name="line">The line without its CRLF. If incomplete or invalid, its bytes so far, at most one more than
    /// the limit.</param>
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

    /// <summary>
    /// Refuses garbage, such as a TLS hello, by the bytes at the method's place, because garbage may contain no line
    /// end.
    /// </summary>
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
        // RFC 9110 §2.5: a request of a higher minor version is answered as HTTP/1.1.
        if (version[5] != '1')
            return Refusal.Version;
        Method = MethodOf(line[..methodLength]);
        Fields.IsVersion10 = version[7] == '0';
        return Method == RequestMethod.Other ? null : ParseTarget(target);
    }

    /// <summary>
    /// Accepts origin-form, and absolute-form, whose path and query are then the key (RFC 9112 §3.2).
    /// </summary>
    private Refusal? ParseTarget(ReadOnlySpan<byte> target)
    {
        if (target.Contains((byte)'#'))
            return Refusal.Target;
        if (target[0] != '/')
        {
            int scheme = target.IndexOf("://"u8);
            if (scheme < 0 || !IsHttp(target[..scheme]))
                return Refusal.Target;
            ReadOnlySpan<byte> rest = target[(scheme + 3)..];
            int end = rest.IndexOfAny((byte)'/', (byte)'?');
            Authority = end < 0 ? rest : rest[..end];
            if (Authority.IsEmpty || Authority.Contains((byte)'@') || (end >= 0 && rest[end] == '?'))
                return Refusal.Target;
            // RFC 9110 §4.2.3: an empty path means /.
            target = end < 0 ? "/"u8 : rest[end..];
        }
        Target = target;
        return null;
    }

    private static bool IsHttp(ReadOnlySpan<byte> scheme) =>
        Ascii.EqualsIgnoreCase(scheme, "http"u8) || Ascii.EqualsIgnoreCase(scheme, "https"u8);

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
        lines = Fields.HasKeyFields ? source[start..position] : default;
        refusal = Fields.Conclude(Method);
        return refusal is null ? DecodeStatus.Complete : DecodeStatus.Invalid;
    }

    /// <summary>True for a token (RFC 9110 §5.6.2).</summary>
    public static bool IsToken(ReadOnlySpan<byte> text) => !text.IsEmpty && !text.ContainsAnyExcept(TokenBytes);

    /// <summary>
    /// Parses the headers of <see cref="KeyFields"/>, in a second pass that most requests do not need.
    /// </summary>
    public readonly Refusal? ParseKeyFields(ref KeyFields fields)
    {
        ReadOnlySpan<byte> rest = lines;
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf("\r\n"u8);
            ReadOnlySpan<byte> line = rest[..end];
            int nameLength = line.IndexOf((byte)':');
            if (fields.Add(Method, line[..nameLength], line[(nameLength + 1)..].Trim(" \t"u8)) is { } refusal)
                return refusal;
            rest = rest[(end + 2)..];
        }
        return fields.Conclude(Method);
    }

    private Refusal? ParseField(ReadOnlySpan<byte> line)
    {
        // RFC 9112 §5.1 allows no whitespace before the colon, and §5.2 no folding; neither is part of a token.
        int nameLength = line.IndexOf((byte)':');
        if (nameLength <= 0 || !IsToken(line[..nameLength]))
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

/// <summary>Method of a request, as far as the front distinguishes methods.</summary>
internal enum RequestMethod : byte
{
    Other,
    Put,
    Get,
    Post,
    Delete,
    Head,
}
