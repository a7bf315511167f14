using System.Text.RegularExpressions;

namespace RaftFast.Http.Tests;

/// <summary>Expected answers, byte for byte; only the date is replaced by D.</summary>
internal static partial class Answers
{
    public const string Continue = "HTTP/1.1 100 Continue\r\n\r\n";

    private const string NoCache = "Cache-Control: no-cache\r\n";

    public const string NoContent = "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n";

    public static readonly string NotFound = With("404 Not Found", "Failed to GET\n", NoCache);

    public static readonly string MethodNotAllowed =
        With("405 Method Not Allowed", "Method not allowed\n", "Allow: PUT, GET, HEAD, POST, DELETE\r\n");

    public static string Ok(string body) => With("200 OK", body, NoCache);

    public static string With(string status, string body, string extra = "") =>
        $"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        + $"X-Content-Type-Options: nosniff\r\n{extra}Date: D\r\n\r\n{body}";

    /// <summary>The same answer as the last one of its connection.</summary>
    public static string Closing(string answer) =>
        answer.Replace("Date: D\r\n", "Connection: close\r\nDate: D\r\n", StringComparison.Ordinal);

    /// <summary>A refusal after which the connection closes.</summary>
    public static string Refused(Refusal refusal)
    {
        string body = System.Text.Encoding.ASCII.GetString(refusal.Body);
        string status = refusal.Status switch
        {
            400 => "400 Bad Request",
            403 => "403 Forbidden",
            408 => "408 Request Timeout",
            411 => "411 Length Required",
            413 => "413 Content Too Large",
            414 => "414 URI Too Long",
            417 => "417 Expectation Failed",
            421 => "421 Misdirected Request",
            431 => "431 Request Header Fields Too Large",
            501 => "501 Not Implemented",
            503 => "503 Service Unavailable",
            505 => "505 HTTP Version Not Supported",
            _ => throw new ArgumentOutOfRangeException(nameof(refusal)),
        };
        return Closing(With(status, body, refusal.Status == 503 ? "Retry-After: 1\r\n" : ""));
    }

    public static string WithoutDates(string answers) => Date().Replace(answers, "\r\nDate: D\r\n");

    /// <summary>IMF-fixdate, RFC 9110 §5.6.7.</summary>
    [GeneratedRegex(
        @"\r\nDate: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
        + @"\d\d:\d\d:\d\d GMT\r\n")]
    private static partial Regex Date();
}
