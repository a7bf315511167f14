using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.ObjectPool;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// The HTTP/1.1 front of a node. It parses the bytes of its connections into <see cref="ClientRequest"/>s, passes each
/// request to <c>submit</c> on the connection's thread, and writes the answers.
/// </summary>
public sealed class HttpFront : ConnectionHandler, IAsyncDisposable
{
    private const int Serving = 0;
    private const int Stopping = 1;
    private const int Aborting = 2;

    private readonly Action<ClientRequest> submit;
    private readonly HttpLimits limits;
    private readonly Action? submitted;
    private readonly TimeProvider time;
    private readonly CoarseClock clock;
    private readonly ITimer sweep;
    private readonly DefaultObjectPool<HttpConnection> pool;
    private readonly OpenConnections open = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private int phase;
    private int connections;

    /// <param name="submit">Receiver of the requests. It returns at once and completes each request later.</param>
    /// <param name="submitted">
    /// Callback after one or more calls of <paramref name="submit"/>, on the same thread.
    /// </param>
    public HttpFront(Action<ClientRequest> submit, HttpLimits limits, TimeProvider time, Action? submitted = null)
    {
        this.submit = submit;
        this.submitted = submitted;
        this.limits = limits;
        this.time = time;
        clock = new CoarseClock(time);
        pool = new DefaultObjectPool<HttpConnection>(new ConnectionPolicy(this), limits.ConnectionsMax);
        sweep = time.CreateTimer(
            static front => ((HttpFront)front!).Sweep(), this, CoarseClock.Period, CoarseClock.Period);
    }

    /// <summary>Connections that are open, or closed with requests still outstanding.</summary>
    public int ConnectionCount => Volatile.Read(ref connections);

    internal bool IsStopping => Volatile.Read(ref phase) >= Stopping;

    internal bool IsAborting => Volatile.Read(ref phase) >= Aborting;

    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        int count = Interlocked.Increment(ref connections);
        if (count <= limits.ConnectionsMax && !IsStopping)
            return pool.Get().Serve(connection);
        Release();
        return RefuseAsync(connection, IsStopping ? Refusal.Stopping : Refusal.Connections);
    }

    /// <summary>
    /// Stops reading requests, answers the submitted ones, and closes. Connections that are left after
    /// <paramref name="grace"/> are dropped.
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

    internal void Submit(ClientRequest request) => submit(request);

    internal void Submitted() => submitted?.Invoke();

    internal void Add(HttpConnection connection) => open.Add(connection);

    internal void Remove(HttpConnection connection) => open.Remove(connection);

    /// <summary>Returns a connection to the pool. A connection calls this last.</summary>
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
        open.WakeLate();
    }

    /// <summary>
    /// Refuses a connection, after its first bytes arrived or <see cref="HttpLimits.LingerTimeout"/> passed.
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
            // No bytes arrived in time, or the connection is gone. The answer below is sent if it still can be.
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
    }

    private sealed class ConnectionPolicy(HttpFront front) : PooledObjectPolicy<HttpConnection>
    {
        public override HttpConnection Create() => new(front, front.limits, front.clock);

        public override bool Return(HttpConnection obj) => true;
    }
}
