using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// Bounds for one client and for all clients together. The status after a bound answers a request beyond that bound.
/// </summary>
public sealed record HttpLimits
{
    /// <summary>
    /// Maximum connections that are open or have outstanding requests. Beyond this number, the connection that has been
    /// idle longest is closed for the new connection. If no connection is idle, the new connection is answered 503 and
    /// closed.
    /// </summary>
    public int ConnectionsMax { get; init; } = 12_000;

    /// <summary>
    /// Maximum connections beyond <see cref="ConnectionsMax"/>. Half of this number are connections that are being
    /// refused. The other half are served, each in the place of an idle connection that is closing. Any further
    /// connection is closed without an answer.
    /// </summary>
    public int ConnectionsBeyondMax { get; init; } = 64;

    /// <summary>Time without a request after which a connection is idle, and may have to give way.</summary>
    public TimeSpan IdleTime { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Maximum unanswered requests of all connections together: 503.</summary>
    public int RequestsMax { get; init; } = 65_536;

    /// <summary>
    /// Maximum bytes of the buffers for requests and answers of all connections together, without the small buffers. At
    /// the bound no request is begun and no value is copied. The connection that took or sent bytes least recently is
    /// then ended.
    /// </summary>
    public long MemoryMax { get; init; } = 256L * 1024 * 1024;

    /// <summary>Maximum unanswered requests of one connection. At the bound the connection stops parsing.</summary>
    public int PipelineDepthMax { get; init; } = 64;

    /// <summary>
    /// Bytes of unanswered requests at which a connection stops parsing, and share of <see cref="MemoryMax"/> for its
    /// requests and answers: four of the largest values. The bound is checked before a request or an answer is
    /// admitted, so a connection holds at most this number of bytes and one more request or answer.
    /// </summary>
    public int PipelineBytesMax { get; init; } = 4 * PutCommand.ValueBytesMax;

    /// <summary>
    /// Maximum bytes of header lines; the same bound holds for chunk extensions and for trailers: 431.
    /// </summary>
    public int HeadersBytesMax { get; init; } = 16384;

    /// <summary>Maximum seconds for which a GET waits for a change (Prefer: wait).</summary>
    public int WaitMax { get; init; } = 60;

    /// <summary>Maximum time from a request's first byte to the end of its headers: 408, closed.</summary>
    public TimeSpan HeadersTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Time that a client has for sending a body, or for taking an answer, at any rate. After this time <see
    /// cref="RateMin"/> holds for the average rate.
    /// </summary>
    public TimeSpan RateGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Least average rate of a body and of an answer, in bytes a second, after <see cref="RateGrace"/>. A slower body
    /// is answered 408 and closed; a connection that takes an answer more slowly is closed.
    /// </summary>
    public int RateMin { get; init; } = 240;

    /// <summary>Maximum time without a request; the connection is then closed without an answer.</summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(130);

    /// <summary>
    /// Time for which input is read and dropped after an answer that gave up on its request. Closing with unread bytes
    /// would reset the connection, and the client could lose the answer (RFC 9112 §9.6).
    /// </summary>
    public TimeSpan LingerTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Maximum bytes that are read and dropped within <see cref="LingerTimeout"/>.</summary>
    public long LingerBytesMax { get; init; } = 64L * 1024 * 1024;
}
