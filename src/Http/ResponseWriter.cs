using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Unicode;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// Writes answers (RFC 9112 §4) into a connection's output, without flushing it:
/// <code>
/// HTTP/1.1 status reason CRLF [ Content-Length CRLF Content-Type CRLF X-Content-Type-Options CRLF ]
/// [ Cache-Control CRLF ] [ ETag CRLF ] [ Age CRLF ] [ Preference-Applied CRLF ] [ Allow / Retry-After CRLF ]
/// [ Connection CRLF ] Date CRLF CRLF [ body ]
/// </code>
/// </summary>
internal sealed class ResponseWriter(CoarseClock clock)
{
    /// <summary>Bytes reserved for a head. All the lines above at their longest have fewer than 500 bytes.</summary>
    private const int HeadBytesMax = 512;

    /// <summary>Maximum bytes of a body that is never written in pieces.</summary>
    private const int SmallBodyBytes = 4096;

    private const int DateLength = 29;

    /// <summary>
    /// IMF-fixdate (RFC 9110 §5.6.7). Each writer has a text of its own, so that no other connection's thread changes
    /// the text meanwhile.
    /// </summary>
    private readonly byte[] date = new byte[DateLength];
    private long dateSeconds = -1;

    public static void WriteContinue(PipeWriter output) => output.Write("HTTP/1.1 100 Continue\r\n\r\n"u8);

    /// <summary>Writes the answer, or continues to write it.</summary>
    /// <param name="request">A finished request.</param>
    /// <param name="closes">True if this is the connection's last answer.</param>
    /// <param name="unflushedMax">Unflushed bytes at which the rest of a large body has to wait.</param>
    /// <returns>False if the rest of the body has to wait for a flush.</returns>
    public bool TryWrite(PipeWriter output, ClientRequest request, bool closes, int unflushedMax)
    {
        ReadOnlySpan<byte> body = request.Answer;
        if (!request.HasHead)
        {
            WriteHead(output, request.Status, body, closes, request);
            request.HasHead = true;
        }
        if (request.OmitsBody || body.IsEmpty)
            return true;
        body = body[request.AnswerWritten..];
        long room = unflushedMax - output.UnflushedBytes;
        if (body.Length > SmallBodyBytes && body.Length > room)
        {
            int piece = (int)Math.Max(room, 0);
            output.Write(body[..piece]);
            request.AnswerWritten += piece;
            return false;
        }
        output.Write(body);
        return true;
    }

    public void WriteLast(PipeWriter output, Refusal refusal)
    {
        WriteHead(output, refusal.Status, refusal.Body, closes: true, request: null);
        output.Write(refusal.Body);
    }

    private void WriteHead(
        PipeWriter output, int status, ReadOnlySpan<byte> body, bool closes, ClientRequest? request)
    {
        Span<byte> head = output.GetSpan(HeadBytesMax);
        int length = 0;
        Append(head, ref length, "HTTP/1.1 "u8);
        Append(head, ref length, StatusLine(status));
        // RFC 9110 §8.6: a 204 has no Content-Length. In a 304, the Content-Length would be the length of the value.
        if (status is not (204 or 304))
        {
            Append(head, ref length, "\r\nContent-Length: "u8);
            Append(head, ref length, body.Length);
            // A value may be any bytes; every other body is a text of this program.
            bool isText = status != 200 || Utf8.IsValid(body);
            Append(head, ref length, "\r\nContent-Type: "u8);
            Append(head, ref length, isText ? "text/plain; charset=utf-8"u8 : "application/octet-stream"u8);
            Append(head, ref length, "\r\nX-Content-Type-Options: nosniff"u8);
        }
        // Without this header a proxy may answer from its store (RFC 9111 §4.2.2).
        if (status is 200 or 304 or 404)
            Append(head, ref length, "\r\nCache-Control: no-cache"u8);
        if (request is not null)
            AppendKeyFields(head, ref length, request);
        if (status == 405)
            Append(head, ref length, "\r\nAllow: PUT, GET, HEAD, POST, DELETE"u8);
        if (status == 503)
            Append(head, ref length, "\r\nRetry-After: 1"u8);
        if (closes)
            Append(head, ref length, "\r\nConnection: close"u8);
        else if (request is { AnnouncesKeepAlive: true })
            Append(head, ref length, "\r\nConnection: keep-alive"u8);
        Append(head, ref length, "\r\nDate: "u8);
        Append(head, ref length, Date());
        Append(head, ref length, "\r\n\r\n"u8);
        output.Advance(length);
    }

    private static void AppendKeyFields(Span<byte> head, ref int length, ClientRequest request)
    {
        if (request.Tag > 0)
        {
            Append(head, ref length, "\r\nETag: \""u8);
            Append(head, ref length, request.Tag);
            Append(head, ref length, "\""u8);
        }
        if (request.Age >= 0)
        {
            Append(head, ref length, "\r\nAge: "u8);
            Append(head, ref length, request.Age);
        }
        if (request.WaitSeconds >= 0)
        {
            Append(head, ref length, "\r\nPreference-Applied: wait="u8);
            Append(head, ref length, request.WaitSeconds);
        }
    }

    private static void Append(Span<byte> head, ref int length, long number)
    {
        Utf8Formatter.TryFormat(number, head[length..], out int digits);
        length += digits;
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
        304 => "304 Not Modified"u8,
        400 => "400 Bad Request"u8,
        403 => "403 Forbidden"u8,
        404 => "404 Not Found"u8,
        405 => "405 Method Not Allowed"u8,
        408 => "408 Request Timeout"u8,
        409 => "409 Conflict"u8,
        411 => "411 Length Required"u8,
        412 => "412 Precondition Failed"u8,
        413 => "413 Content Too Large"u8,
        414 => "414 URI Too Long"u8,
        417 => "417 Expectation Failed"u8,
        421 => "421 Misdirected Request"u8,
        422 => "422 Unprocessable Content"u8,
        431 => "431 Request Header Fields Too Large"u8,
        501 => "501 Not Implemented"u8,
        503 => "503 Service Unavailable"u8,
        504 => "504 Gateway Timeout"u8,
        505 => "505 HTTP Version Not Supported"u8,
        507 => "507 Insufficient Storage"u8,
        _ => throw new InvariantException($"no reason phrase for status {status}"),
    };
}
