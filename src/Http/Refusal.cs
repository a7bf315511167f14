using System.Text;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// The answers that the front gives by itself, without the node: what is wrong with a request or connection, and how to
/// send it right, in one line. <see cref="RequestReader"/> answers <see cref="PostTarget"/>, <see cref="DeleteTarget"/>
/// and <see cref="Method"/> after the body, and the connection stays open unless the client waits for
/// <c>100 Continue</c>. After any other refusal the connection closes: the end of the request is unknown, or the node
/// wants no further request.
/// </summary>
internal sealed class Refusal(int status, string line)
{
    public static readonly Refusal RequestLine = new(400,
        "The request line is malformed: send METHOD target HTTP/1.1, with single spaces, ended by CRLF.");

    public static readonly Refusal HeaderLine = new(400,
        "A header line is malformed: send name: value, without folding or control characters, ended by CRLF.");

    public static readonly Refusal Host = new(400,
        "The Host header is missing, repeated or malformed: send exactly one.");

    public static readonly Refusal ContentLength = new(400,
        "The Content-Length is repeated or not a number: send one decimal number.");

    public static readonly Refusal Framing = new(400,
        "The body's length is ambiguous: send either Content-Length or one Transfer-Encoding: chunked in HTTP/1.1.");

    public static readonly Refusal Chunk = new(400,
        "The chunked body is malformed: send each chunk as its size in hex, CRLF, data, CRLF.");

    public static readonly Refusal Truncated = new(400,
        "The connection ended before the request was complete: send the whole request.");

    public static readonly Refusal PostTarget = new(400, "Failed on POST");

    public static readonly Refusal DeleteTarget = new(400, "Failed on DELETE");

    public static readonly Refusal Method = new(405, "Method not allowed");

    public static readonly Refusal HeadersTimeout = new(408,
        "The headers did not arrive in time: connect again and send the request without pausing.");

    public static readonly Refusal BodyTimeout = new(408,
        "The body did not arrive in time: connect again and send the request without pausing.");

    public static readonly Refusal LengthRequired = new(411,
        "The body's length is unknown: send Content-Length (0 for an empty value) or Transfer-Encoding: chunked.");

    public static readonly Refusal BodySize = new(413,
        $"The body is too large: a value has at most {PutCommand.ValueBytesMax} bytes.");

    public static readonly Refusal TargetSize = new(414,
        $"The request target is too long: a key has at most {PutCommand.KeyBytesMax} bytes.");

    public static readonly Refusal Expectation = new(417,
        "The expectation is unknown: send Expect: 100-continue or no Expect header.");

    public static readonly Refusal HeadersSize = new(431, "The headers are too large: send fewer or shorter headers.");

    public static readonly Refusal TransferCoding = new(501,
        "The transfer coding is unknown: send Transfer-Encoding: chunked or Content-Length.");

    public static readonly Refusal Connections = new(503,
        "There are too many connections: try again later, or reuse an open connection.");

    public static readonly Refusal Stopping = new(503, "This node is stopping: use another member.");

    public static readonly Refusal Version = new(505, "The HTTP version is not supported: use HTTP/1.1.");

    private readonly byte[] body = Encoding.ASCII.GetBytes(line + "\n");

    public int Status { get; } = status;

    public ReadOnlySpan<byte> Body => body;
}
