using System.Buffers.Text;
using System.Text;

namespace RaftFast.LoadTest.Scenarios;

/// <summary>Result of reading an answer's head.</summary>
public enum AnswerStatus
{
    Complete,

    /// <summary>The head is valid so far; more bytes are needed.</summary>
    Incomplete,

    /// <summary>No further bytes can make the head valid, or this client can't read it.</summary>
    Invalid,
}

/// <summary>
/// Status line and headers of an answer (RFC 9112 §4, §6), as far as a client needs them to find the end of the answer.
/// Informational answers (1xx) before that answer are skipped.
/// </summary>
/// <param name="Length">Bytes before the body, including skipped answers.</param>
/// <param name="Closes">True if the node takes no further request on this connection.</param>
public readonly record struct AnswerHead(int Status, int Length, long BodyLength, bool Closes)
{
    public const int BytesMax = 8192;

    private const int StatusLineBytesMin = 13;

    public static AnswerStatus TryRead(ReadOnlySpan<byte> received, out AnswerHead head)
    {
        head = default;
        int skipped = 0;
        while (true)
        {
            AnswerStatus status = TryReadOne(received[skipped..], out head);
            if (status != AnswerStatus.Complete)
                return received.Length - skipped >= BytesMax ? AnswerStatus.Invalid : status;
            head = head with { Length = head.Length + skipped };
            if (head.Status >= 200)
                return AnswerStatus.Complete;
            skipped = head.Length;
        }
    }

    private static AnswerStatus TryReadOne(ReadOnlySpan<byte> received, out AnswerHead head)
    {
        head = default;
        ReadOnlySpan<byte> version = "HTTP/1."u8;
        int known = Math.Min(version.Length, received.Length);
        if (!received[..known].SequenceEqual(version[..known]))
            return AnswerStatus.Invalid;
        int length = received.IndexOf("\r\n\r\n"u8) + 4;
        if (length < 4)
            return AnswerStatus.Incomplete;
        ReadOnlySpan<byte> lines = received[..(length - 2)];
        int lineEnd = lines.IndexOf("\r\n"u8);
        if (!TryReadStatus(lines[..lineEnd], out int status))
            return AnswerStatus.Invalid;
        long bodyLength = -1;
        bool closes = received[version.Length] == '0';
        for (lines = lines[(lineEnd + 2)..]; !lines.IsEmpty; lines = lines[(lineEnd + 2)..])
        {
            lineEnd = lines.IndexOf("\r\n"u8);
            if (!TryReadField(lines[..lineEnd], ref bodyLength, ref closes))
                return AnswerStatus.Invalid;
        }
        // RFC 9112 §6.3: answers with these statuses have no body, whatever their headers say.
        if (status is < 200 or 204 or 304)
            bodyLength = 0;
        if (bodyLength < 0)
            return AnswerStatus.Invalid;
        head = new AnswerHead(status, length, bodyLength, closes);
        return AnswerStatus.Complete;
    }

    private static bool TryReadStatus(ReadOnlySpan<byte> line, out int status)
    {
        status = 0;
        if (line.Length < StatusLineBytesMin - 1 || line[8] != ' ' || (line.Length > 12 && line[12] != ' '))
            return false;
        bool isNumber = Utf8Parser.TryParse(line.Slice(9, 3), out status, out int digits);
        return isNumber && digits == 3 && status is >= 100 and < 600;
    }

    private static bool TryReadField(ReadOnlySpan<byte> line, ref long bodyLength, ref bool closes)
    {
        int colon = line.IndexOf((byte)':');
        if (colon <= 0)
            return false;
        ReadOnlySpan<byte> name = line[..colon];
        ReadOnlySpan<byte> value = line[(colon + 1)..].Trim(" \t"u8);
        if (Ascii.EqualsIgnoreCase(name, "Content-Length"u8))
        {
            bool isFirst = bodyLength < 0;
            return isFirst && Utf8Parser.TryParse(value, out bodyLength, out int digits)
                && digits == value.Length && bodyLength >= 0;
        }
        // The servers that this client drives send Content-Length with every body, so a transfer coding is invalid
        // here.
        if (Ascii.EqualsIgnoreCase(name, "Transfer-Encoding"u8))
            return false;
        if (Ascii.EqualsIgnoreCase(name, "Connection"u8))
            closes = Ascii.EqualsIgnoreCase(value, "close"u8);
        return true;
    }
}
