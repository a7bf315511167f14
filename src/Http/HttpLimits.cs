using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>What one client, and all of them together, may take up. Where the excess of a bound is answered, its status is named.</summary>
public sealed class HttpLimits
{
    /// <summary>Connections that are open, or whose last requests are still with the server. One more is answered 503 and closed.</summary>
    public int ConnectionsMax { get; init; } = 2048;

    /// <summary>Requests of one connection that have not been answered yet. Nothing is parsed while there are so many.</summary>
    public int PipelineDepthMax { get; init; } = 64;

    /// <summary>
    /// Bytes of such requests: four of the largest. Checked before a request is parsed, so that one is always admitted, and
    /// a connection holds at most this and one request more.
    /// </summary>
    public int PipelineBytesMax { get; init; } = 4 * PutCommand.ValueBytesMax;

    /// <summary>Bytes of header lines, and again of chunk extensions and of trailers: 431.</summary>
    public int HeadersBytesMax { get; init; } = 16384;

    /// <summary>From the first byte of a request to the end of its headers: 408, closed.</summary>
    public TimeSpan HeadersTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Time that a client has for a body, and for taking an answer, however slow the client is. After this time the client's average rate
    /// counts: <see cref="RateMin"/>.
    /// </summary>
    public TimeSpan RateGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Least average rate of a body and of an answer, in bytes a second, once <see cref="RateGrace"/> has passed. A slower body is answered
    /// 408 and closed; a client that takes an answer more slowly is cut off.
    /// </summary>
    public int RateMin { get; init; } = 240;

    /// <summary>Without a request: closed without a word.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(130);

    /// <summary>
    /// How long input is still read and dropped after an answer that gave up on its request: closing with bytes unread would
    /// reset the connection, and the client could lose that answer (RFC 9112 §9.6).
    /// </summary>
    public TimeSpan LingerTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Bytes that are read and dropped so, at most.</summary>
    public long LingerBytesMax { get; init; } = 64L * 1024 * 1024;
}
