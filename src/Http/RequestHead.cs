using System.Buffers;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>Method of a request line, as far as the front distinguishes it.</summary>
internal enum RequestMethod : byte
{
    Other,
    Put,
    Get,
    Post,
    Delete,
    Head,
}

/// <summary>
/// Request line and headers (RFC 9112 §2 to §6). Parsing starts at the first byte whenever more bytes have arrived, and
/// keeps no state in between. So the result depends on the bytes, not on how they were split. A line ends with CRLF
/// only.
/// </summary>
internal ref struct RequestHead
{
    /// <summary>
    /// Maximum bytes of a method; a longer one is treated as garbage. The longest registered method has 17 bytes (RFC
    /// 9110 §16.1).
    /// </summary>
    private const int MethodBytesMax = 32;

    private const int VersionLength = 8;

    /// <summary>Maximum bytes of a request line: method, space, target, space, version, CR.</summary>
    public const int LineBytesMax = MethodBytesMax + 1 + PutCommand.KeyBytesMax + 1 + VersionLength + 1;

    /// <summary>Bytes of a token (RFC 9110 §5.6.2).</summary>
    private static readonly SearchValues<byte> TokenBytes =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    public RequestMethod Method { get; private set; }

    /// <summary>The raw target. Valid as long as the parsed bytes.</summary>
    public ReadOnlySpan<byte> Target { get; private set; }

    public RequestFields Fields;

    /// <summary>Bytes before the body.</summary>
    public int Length { get; private set; }

    /// <param name="head">
    /// The parsed head. If the result is Invalid but the request line was valid, its method is set.
    /// </param>
    /// <param name="refusal">Reason for the result Invalid, otherwise null.</param>
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

    /// <param name="line">
    /// The line without its CRLF. If the result is not Complete: the bytes of the line so far, at most one byte more
    /// than the limit.
    /// </param>
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
    /// Checks the method of a request line that may be incomplete. Garbage such as a TLS hello may never contain the
    /// end of a line, but it has no valid method.
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
        if (version[5] != '1' || version[7] is not ((byte)'0' or (byte)'1'))
            return Refusal.Version;
        Method = MethodOf(line[..methodLength]);
        Target = target;
        Fields.IsVersion10 = version[7] == '0';
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
                refusal = count < HttpLimits.HeaderLinesMax ? ParseField(line) : Refusal.HeadersSize;
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
        // RFC 9112 §5.1: no whitespace before the colon; §5.2: no folding. A name is a token, so both are refused here.
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
