using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// The bounds of everything that the HTTP front queues or waits for, and what happens at each bound:
/// <code>
/// connections                              ConnectionsMax        503, closed
/// requests of a connection, by count       PipelineDepthMax      parsing pauses
/// requests of a connection, by bytes       PipelineBytesMax      parsing pauses
/// answers of a connection, unflushed       UnflushedBytesMax     parsing and writing pause until the flush
/// input that one step parses               StepBytesMax          the connection takes another turn
/// headers                                  HeadersBytesMax, HeaderLinesMax   431, closed
/// time                                     the timeouts below
/// </code>
/// A request's own sizes (key and value) are bounded by <see cref="PutCommand"/>.
/// </summary>
public sealed class HttpLimits
{
    /// <summary>
    /// Maximum bytes of answers that a connection writes before it flushes. The socket transport's output pipe holds
    /// this many before it makes a writer wait.
    /// </summary>
    internal const int UnflushedBytesMax = 64 * 1024;

    /// <summary>
    /// Maximum bytes of input that one step of a connection takes. The step may run on a thread that other connections
    /// wait for.
    /// </summary>
    internal const int StepBytesMax = 256 * 1024;

    /// <summary>
    /// Maximum header lines of a request; more are answered 431. Parsing starts over whenever more bytes arrive, so
    /// this bound limits the work that a client can cause by sending single bytes.
    /// </summary>
    internal const int HeaderLinesMax = 100;

    /// <summary>
    /// Maximum bytes of buffer that an answered request keeps for its next use, for each request on each connection. A
    /// larger buffer goes back to the shared pool.
    /// </summary>
    internal const int RetainedBytesMax = 16 * 1024;

    /// <summary>
    /// Maximum connections that are open, or closed with requests still outstanding. A further connection is answered
    /// 503 and closed.
    /// </summary>
    public int ConnectionsMax { get; init; } = 2048;

    /// <summary>Maximum unanswered requests of a connection. At this number, parsing pauses.</summary>
    public int PipelineDepthMax { get; init; } = 64;

    /// <summary>
    /// Maximum bytes of a connection's unanswered requests: four of the largest values. The bound is checked before a
    /// request is parsed, so one request is always admitted, and a connection holds at most this many bytes and one
    /// request more.
    /// </summary>
    public int PipelineBytesMax { get; init; } = 4 * PutCommand.ValueBytesMax;

    /// <summary>
    /// Maximum bytes of a request's header lines. The same bound holds for its chunk extensions, and for its trailers.
    /// A larger request is answered 431.
    /// </summary>
    public int HeadersBytesMax { get; init; } = 16384;

    /// <summary>Time from the first byte of a request to the end of its headers. After it: 408, closed.</summary>
    public TimeSpan HeadersTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Time from the end of the headers, or from <c>100 Continue</c>, to the end of the body. After it: 408, closed.
    /// </summary>
    public TimeSpan BodyTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Time that a client has to make room for a flush of answers. After it the connection is aborted.
    /// </summary>
    public TimeSpan WriteTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Time that a connection may stay open without a request. After it the connection is closed without an answer.
    /// </summary>
    public TimeSpan KeepAliveTimeout { get; init; } = TimeSpan.FromSeconds(130);

    /// <summary>
    /// Time for which input is read and dropped after an answer that gave up on its request. Closing with unread input
    /// would reset the connection, and the client could lose that answer (RFC 9112 §9.6).
    /// </summary>
    public TimeSpan LingerTimeout { get; init; } = TimeSpan.FromSeconds(1);
}
