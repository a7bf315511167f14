using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// An answer that does not depend on the state: one line that says what is wrong with a request and what would be
/// right.
/// </summary>
internal sealed class Refusal(int status, string line)
{
    public static readonly Refusal RequestLine = new(400,
        "The request line is malformed: send METHOD target HTTP/1.1, with single spaces, ended by CRLF.");
    public static readonly Refusal HeaderLine = new(400,
        "A header line is malformed: send name: value, without folding or control characters, ended by CRLF.");
    public static readonly Refusal Target = new(400,
        "The request target is not a path: send /key, or http://host/key, without #, user name or an empty "
        + "path before a query.");
    public static readonly Refusal Host = new(400,
        "The Host header is missing, repeated or malformed: send exactly one.");
    public static readonly Refusal ContentLength = new(400,
        "The Content-Length is repeated or no number: send one decimal number.");
    public static readonly Refusal Framing = new(400,
        "The body's length is ambiguous: send either Content-Length or one Transfer-Encoding: chunked in HTTP/1.1.");
    public static readonly Refusal LastCoding = new(400,
        "The body's end is unknown: the last transfer coding must be chunked.");
    public static readonly Refusal ContentRange = new(400,
        "A part of a value can't be stored: send the whole value, without Content-Range (curl without -C).");
    public static readonly Refusal IfMatch = new(400,
        $"If-Match is malformed: send *, or 1 to {Conditions.TagsMax} tags in double quotes, like \"5\".");
    public static readonly Refusal IfNoneMatch = new(400,
        $"If-None-Match is malformed: send *, or 1 to {Conditions.TagsMax} tags in double quotes, like \"5\".");
    public static readonly Refusal TimeToLive = new(400,
        "RaftFast-TTL is malformed: send it once, as a number of seconds from 1 to "
        + $"{KeyCommand.TimeToLiveSecondsMax}.");
    public static readonly Refusal Wait = new(400,
        "The preference wait is malformed: send Prefer: wait= and a number of seconds.");
    public static readonly Refusal IdempotencyKey = new(400,
        $"Idempotency-Key is malformed: send it once, as 1 to {KeyCommand.TokenBytesMax} printable characters in "
        + "double quotes.");
    public static readonly Refusal Chunk = new(400,
        "The chunked body is malformed: send each chunk as its size in hex, CRLF, data, CRLF.");
    public static readonly Refusal Truncated = new(400, "The connection ended within the request: send it whole.");
    public static readonly Refusal PostTarget = new(400, "Failed on POST");
    public static readonly Refusal DeleteTarget = new(400, "Failed on DELETE");
    public static readonly Refusal OtherSite = new(403,
        "A page of another site sent this request, and pages may only use the site that they came from: use "
        + "another client, or a page of this server.");
    public static readonly Refusal Method = new(405, "Method not allowed");
    public static readonly Refusal HeadersTimeout = new(408,
        "The headers did not arrive in time: connect again and send the request without pausing.");
    public static readonly Refusal BodyTimeout = new(408,
        "The body came too slowly: connect again and send the request without pausing.");
    public static readonly Refusal LengthRequired = new(411,
        "The body's length is unknown: send Content-Length (0 for an empty value) or Transfer-Encoding: chunked.");
    public static readonly Refusal BodySize = new(413,
        $"The body is too large: a value has at most {PutCommand.ValueBytesMax} bytes.");
    public static readonly Refusal TargetSize = new(414,
        $"The request target is too long: a key has at most {PutCommand.KeyBytesMax} bytes.");
    public static readonly Refusal Expectation = new(417,
        "The expectation is unknown: send Expect: 100-continue or none.");
    public static readonly Refusal OtherHost = new(421,
        "The Host names another server than this one: use this member's address or name, or start the member "
        + "with --allowed-host NAME.");
    public static readonly Refusal HeadersSize = new(431, "The headers are too large: send fewer or shorter ones.");
    public static readonly Refusal TransferCoding = new(501,
        "The transfer coding is unknown: send Transfer-Encoding: chunked or Content-Length.");
    public static readonly Refusal Connections = new(503,
        "There are too many connections: try again later, or reuse one.");
    public static readonly Refusal Requests = new(503,
        "This server has too many unanswered requests: try again later, or use another member.");
    public static readonly Refusal Stopping = new(503, "This server is stopping: use another member.");
    public static readonly Refusal Version = new(505, "The HTTP version is not supported: use HTTP/1.1.");

    private readonly byte[] body = System.Text.Encoding.ASCII.GetBytes(line + "\n");

    public int Status { get; } = status;

    public ReadOnlySpan<byte> Body => body;
}
