using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.ObjectPool;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// The HTTP/1.1 side of the server. The front turns the bytes of its connections into <see cref="ClientRequest"/>s,
/// hands each to <c>submit</c> on the connection's thread, and writes the answers.
/// </summary>
public sealed partial class HttpFront : ConnectionHandler, IAsyncDisposable
{
    /// <summary>Milliseconds between two searches for unneeded buffers.</summary>
    private const long TrimPeriod = 2_000;

    private const int Serving = 0;
    private const int Stopping = 1;
    private const int Aborting = 2;

    private readonly Action<ClientRequest> submit;
    private readonly HttpLimits limits;
    private readonly Action? submitted;
    private readonly TimeProvider time;
    private readonly CoarseClock clock;
    private readonly ILogger log;
    private readonly ITimer sweep;
    private readonly DefaultObjectPool<HttpConnection> pool;
    private readonly OpenConnections open = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private int phase;
    private int connections;
    private int refusals;
    private int requests;
    private long trimmedAt;

    /// <param name="submit">Takes a request over and returns at once.</param>
    /// <param name="submitted">Called by the submitting thread after it has submitted one or more requests.</param>
    /// <param name="access">
    /// Requests that may pass; null for requests to any host, but from no page of another site.
    /// </param>
    /// <param name="log">Logger that limits the number of lines, because any client can cause some of them.</param>
    public HttpFront(
        Action<ClientRequest> submit, HttpLimits limits, TimeProvider time, Action? submitted = null,
        AccessPolicy? access = null, ILogger? log = null)
    {
        Access = access ?? AccessPolicy.AnyHost;
        this.submit = submit;
        this.submitted = submitted;
        this.limits = limits;
        this.log = log ?? NullLogger.Instance;
        this.time = time;
        clock = new CoarseClock(time);
        Memory = new ClientMemory(limits.MemoryMax);
        pool = new DefaultObjectPool<HttpConnection>(new ConnectionPolicy(this), limits.ConnectionsMax);
        sweep = time.CreateTimer(
            static front => ((HttpFront)front!).Sweep(), this, CoarseClock.Period, CoarseClock.Period);
    }

    /// <summary>Number of connections that are open, or that have outstanding requests.</summary>
    public int ConnectionCount => Volatile.Read(ref connections);

    /// <summary>Answers so far.</summary>
    public RequestCounters Answered { get; } = new();

    internal AccessPolicy Access { get; }

    internal ClientMemory Memory { get; }

    /// <summary>Milliseconds of the front's clock.</summary>
    internal long Now => clock.Milliseconds;

    internal bool IsStopping => Volatile.Read(ref phase) >= Stopping;

    internal bool IsAborting => Volatile.Read(ref phase) >= Aborting;

    /// <summary>Copies the front's state. Any thread.</summary>
    public FrontReport Report() => new(
        ConnectionCount, Volatile.Read(ref requests), Memory.Bytes, open.MemoryHeldGreatest())
    {
        Limits = limits,
    };

    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        int count = Interlocked.Increment(ref connections);
        bool isAdmitted = count <= limits.ConnectionsMax
            || (count <= limits.ConnectionsMax + limits.ConnectionsBeyondMax / 2 && open.TryCloseIdlest(IdleLatest));
        if (isAdmitted && !IsStopping)
            return pool.Get().Serve(connection);
        Release();
        Answered.Count(IsStopping ? Refusal.Stopping : Refusal.Connections);
        if (!IsStopping)
            LogRefused(log, limits.ConnectionsMax);
        if (Interlocked.Increment(ref refusals) <= limits.ConnectionsBeyondMax / 2)
            return RefuseAsync(connection, IsStopping ? Refusal.Stopping : Refusal.Connections);
        Interlocked.Decrement(ref refusals);
        connection.Abort(new ConnectionAbortedException("there are too many connections"));
        return Task.CompletedTask;
    }

    /// <summary>
    /// Stops reading requests, answers the submitted ones, and closes. Drops connections that remain after <paramref
    /// name="grace"/>.
    /// </summary>
    public async Task StopAsync(TimeSpan grace)
    {
        Interlocked.CompareExchange(ref phase, Stopping, Serving);
        open.WakeAll();
        if (Volatile.Read(ref connections) == 0)
            ended.TrySetResult();
        try
        {
            await ended.Task.WaitAsync(grace, time).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            Volatile.Write(ref phase, Aborting);
            open.WakeAll();
        }
        await sweep.DisposeAsync().ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync() => await StopAsync(TimeSpan.Zero).ConfigureAwait(false);

    /// <summary>True if the time, read from this clock, is at least <see cref="HttpLimits.IdleTime"/> ago.</summary>
    internal bool IsLongAgo(long milliseconds) => milliseconds <= IdleLatest;

    /// <returns>False if too many requests are unanswered.</returns>
    internal bool TryBeginRequest()
    {
        if (Interlocked.Increment(ref requests) <= limits.RequestsMax)
            return true;
        Interlocked.Decrement(ref requests);
        return false;
    }

    /// <summary>A request that has begun is answered.</summary>
    internal void EndRequest() => Interlocked.Decrement(ref requests);

    internal void Submit(ClientRequest request) => submit(request);

    internal void Submitted() => submitted?.Invoke();

    internal void Add(HttpConnection connection) => open.Add(connection);

    internal void Remove(HttpConnection connection) => open.Remove(connection);

    /// <summary>Takes a connection object back. The object makes no call after this one.</summary>
    internal void Return(HttpConnection connection)
    {
        pool.Return(connection);
        Release();
    }

    private void Release()
    {
        if (Interlocked.Decrement(ref connections) == 0 && IsStopping)
            ended.TrySetResult();
    }

    private void Sweep()
    {
        clock.Tick();
        if (clock.Milliseconds - trimmedAt >= TrimPeriod)
        {
            trimmedAt = clock.Milliseconds;
            Memory.Trim();
        }
        long excess = Memory.Excess;
        if (Memory.TakeShortage() || excess > 0)
        {
            int ended = open.EndSlowest(Math.Max(excess, 1), excess > 0 ? clock.Milliseconds : IdleLatest);
            if (ended > 0)
                LogEnded(log, ended, limits.MemoryMax >> 20);
        }
        open.WakeDue();
    }

    /// <summary>Latest beginning of an idle time that has lasted for at least IdleTime.</summary>
    private long IdleLatest =>
        clock.Milliseconds - (long)(limits.IdleTime + CoarseClock.Period).TotalMilliseconds;

    /// <summary>
    /// Refuses a connection beyond the bound. The answer is sent after the client's first bytes, or after a time
    /// without any.
    /// </summary>
    private async Task RefuseAsync(ConnectionContext connection, Refusal refusal)
    {
        PipeReader input = connection.Transport.Input;
        PipeWriter output = connection.Transport.Output;
        using CancellationTokenSource patience = new(limits.LingerTimeout, time);
        try
        {
            await input.ReadAsync(patience.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not InvariantException)
        {
            // The client sent nothing, or is gone. A client that is gone does not get the answer below.
        }
        try
        {
            new ResponseWriter(clock).WriteLast(output, refusal);
            await output.FlushAsync(patience.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not InvariantException)
        {
            connection.Abort(new ConnectionAbortedException("there are too many connections", exception));
        }
        await input.CompleteAsync().ConfigureAwait(false);
        await output.CompleteAsync().ConfigureAwait(false);
        Interlocked.Decrement(ref refusals);
    }

    [LoggerMessage(
        LogLevel.Warning,
        "refused a client's connection: all {Max} connections are in use; look for clients that do not close "
        + "connections, or raise --connections-max")]
    private static partial void LogRefused(ILogger log, int max);

    [LoggerMessage(
        LogLevel.Warning,
        "ended {Count} connections of clients that take no answers or send no more of a request: others need the "
        + "memory, {MiB} MiB in all; look for such clients, or raise --client-memory-max")]
    private static partial void LogEnded(ILogger log, int count, long miB);

    private sealed class ConnectionPolicy(HttpFront front) : PooledObjectPolicy<HttpConnection>
    {
        public override HttpConnection Create() => new(front, front.limits, front.clock);

        public override bool Return(HttpConnection obj) => true;
    }
}
