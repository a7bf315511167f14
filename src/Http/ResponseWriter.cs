using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.IO.Pipelines;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// Writes answers (RFC 9112 §4) into a connection's output pipe, without flushing it:
/// <code>
/// HTTP/1.1 status reason CRLF [ Content-Length CRLF Content-Type CRLF X-Content-Type-Options CRLF ]
/// [ Allow / Retry-After CRLF ] [ Connection CRLF ] Date CRLF CRLF [ body ]
/// </code>
/// </summary>
internal sealed class ResponseWriter(CoarseClock clock)
{
    /// <summary>
    /// Maximum bytes of an answer's head. The lines above, each at its longest, have less than 350 bytes.
    /// </summary>
    private const int HeadBytesMax = 512;

    private const int DateLength = 29;

    /// <summary>
    /// IMF-fixdate (RFC 9110 §5.6.7). Each connection has its own, so no other thread writes it meanwhile.
    /// </summary>
    private readonly byte[] date = new byte[DateLength];
    private long dateSeconds = -1;

    public static void WriteContinue(PipeWriter output) => output.Write("HTTP/1.1 100 Continue\r\n\r\n"u8);

    /// <param name="request">A finished request.</param>
    /// <param name="closes">True for the connection's last answer.</param>
    public void Write(PipeWriter output, ClientRequest request, bool closes) =>
        Write(output, request.Status, request.Answer, closes, request.AnnouncesKeepAlive, request.OmitsBody);

    public void WriteLast(PipeWriter output, Refusal refusal) =>
        Write(output, refusal.Status, refusal.Body, closes: true, announcesKeepAlive: false, omitsBody: false);

    private void Write(
        PipeWriter output, int status, ReadOnlySpan<byte> body, bool closes, bool announcesKeepAlive, bool omitsBody)
    {
        Span<byte> head = output.GetSpan(HeadBytesMax);
        int length = 0;
        Append(head, ref length, "HTTP/1.1 "u8);
        Append(head, ref length, StatusLine(status));
        // RFC 9110 §8.6: 204 has no Content-Length.
        if (status != 204)
        {
            Append(head, ref length, "\r\nContent-Length: "u8);
            Utf8Formatter.TryFormat(body.Length, head[length..], out int digits);
            length += digits;
            Append(head, ref length, "\r\nContent-Type: text/plain; charset=utf-8"u8
                + "\r\nX-Content-Type-Options: nosniff"u8);
        }
        if (status == 405)
            Append(head, ref length, "\r\nAllow: PUT, GET, POST, DELETE"u8);
        if (status == 503)
            Append(head, ref length, "\r\nRetry-After: 1"u8);
        if (closes)
            Append(head, ref length, "\r\nConnection: close"u8);
        else if (announcesKeepAlive)
            Append(head, ref length, "\r\nConnection: keep-alive"u8);
        Append(head, ref length, "\r\nDate: "u8);
        Append(head, ref length, Date());
        Append(head, ref length, "\r\n\r\n"u8);
        output.Advance(length);
        if (!omitsBody && !body.IsEmpty)
            output.Write(body);
    }

    private static void Append(Span<byte> head, ref int length, ReadOnlySpan<byte> text)
    {
        text.CopyTo(head[length..]);
        length += text.Length;
    }

    private ReadOnlySpan<byte> Date()
    {
        long seconds = clock.UtcSeconds;
        if (seconds != dateSeconds)
        {
            DateTime now = new(seconds * TimeSpan.TicksPerSecond, DateTimeKind.Utc);
            bool fits = now.TryFormat(date, out int written, "R", CultureInfo.InvariantCulture);
            Invariant.Hold(fits);
            Invariant.Hold(written == DateLength);
            dateSeconds = seconds;
        }
        return date;
    }

    private static ReadOnlySpan<byte> StatusLine(int status) => status switch
    {
        200 => "200 OK"u8,
        204 => "204 No Content"u8,
        400 => "400 Bad Request"u8,
        404 => "404 Not Found"u8,
        405 => "405 Method Not Allowed"u8,
        408 => "408 Request Timeout"u8,
        409 => "409 Conflict"u8,
        411 => "411 Length Required"u8,
        412 => "412 Precondition Failed"u8,
        413 => "413 Content Too Large"u8,
        414 => "414 URI Too Long"u8,
        417 => "417 Expectation Failed"u8,
        431 => "431 Request Header Fields Too Large"u8,
        501 => "501 Not Implemented"u8,
        503 => "503 Service Unavailable"u8,
        504 => "504 Gateway Timeout"u8,
        505 => "505 HTTP Version Not Supported"u8,
        507 => "507 Insufficient Storage"u8,
        _ => throw new InvariantException($"no reason phrase for status {status}"),
    };
}
