namespace RaftFast.Http;

/// <summary>State of the front at one moment, for operators.</summary>
/// <param name="Connections">Connections that are open, or have outstanding requests.</param>
/// <param name="Requests">Unanswered requests of all connections.</param>
/// <param name="MemoryBytes">Bytes of the buffers for requests and answers, rented and free.</param>
/// <param name="ConnectionBytesGreatest">
/// Maximum, over all connections, of the bytes that one connection holds in requests and answers.
/// </param>
public sealed record FrontReport(int Connections, int Requests, long MemoryBytes, long ConnectionBytesGreatest)
{
    public required HttpLimits Limits { get; init; }
}
