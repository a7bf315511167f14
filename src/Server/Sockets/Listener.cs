using System.Diagnostics.CodeAnalysis;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Logging;

namespace RaftFast.Server.Sockets;

/// <summary>One bound address: accepts at most a given number of connections, and lets a handler serve each.</summary>
internal sealed partial class Listener
{
    /// <summary>Time that the handlers of aborted connections may take to end.</summary>
    private static readonly TimeSpan AbortWait = TimeSpan.FromSeconds(1);

    private readonly IConnectionListener transport;
    private readonly ConnectionHandler handler;
    private readonly int connectionsMax;
    private readonly ILogger log;
    private readonly Task accepting;
    private readonly HashSet<AcceptedConnection> connections = [];
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool stopping;

    /// <param name="transport">A bound transport, which the listener disposes of.</param>
    public Listener(IConnectionListener transport, ConnectionHandler handler, int connectionsMax, ILogger log)
    {
        this.transport = transport;
        this.handler = handler;
        this.connectionsMax = connectionsMax;
        this.log = new LimitedLogger(log, TimeProvider.System);
        accepting = AcceptAsync();
    }

    public IPEndPoint EndPoint => (IPEndPoint)transport.EndPoint;

    /// <summary>
    /// Accepts no more connections, and asks the open ones to close. Returns when all connections are closed. Aborts
    /// connections that are open at <paramref name="cancellation"/>.
    /// </summary>
    /// <returns>False if a handler of an aborted connection still runs.</returns>
    public async Task<bool> StopAsync(CancellationToken cancellation)
    {
        await transport.UnbindAsync(CancellationToken.None);
        await accepting;
        AcceptedConnection[] open;
        lock (connections)
        {
            stopping = true;
            open = [.. connections];
            if (open.Length == 0)
                drained.TrySetResult();
        }
        foreach (AcceptedConnection connection in open)
            connection.RequestClose();
        if (!await IsDrainedAsync(Timeout.InfiniteTimeSpan, cancellation))
        {
            foreach (AcceptedConnection connection in open)
                connection.Abort();
            if (!await IsDrainedAsync(AbortWait, CancellationToken.None))
                return false; // A handler still uses the transport's memory.
        }
        await transport.DisposeAsync();
        return true;
    }

    private async Task<bool> IsDrainedAsync(TimeSpan wait, CancellationToken cancellation)
    {
        await drained.Task.WaitAsync(wait, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return drained.Task.IsCompleted;
    }

    /// <summary>
    /// Ends when the transport is unbound. An exception before that would leave a node that can't be reached, so it
    /// ends the process.
    /// </summary>
    private async Task AcceptAsync()
    {
        try
        {
            await AcceptAllAsync();
        }
        catch (Exception e)
        {
            FatalError.Exit(e);
        }
    }

    private async Task AcceptAllAsync()
    {
        while (await transport.AcceptAsync() is { } context)
        {
            AcceptedConnection connection = new(context);
            if (TryAdd(connection))
            {
                // Run the handler on another thread, so that its first steps don't delay the next connection.
                ThreadPool.UnsafeQueueUserWorkItem(Serve, connection, preferLocal: false);
            }
            else
            {
                LogTooMany(log, context.RemoteEndPoint, connectionsMax);
                context.Abort();
                await context.DisposeAsync();
            }
        }
    }

    private bool TryAdd(AcceptedConnection connection)
    {
        lock (connections)
            return connections.Count < connectionsMax && connections.Add(connection);
    }

    private void Remove(AcceptedConnection connection)
    {
        lock (connections)
        {
            connections.Remove(connection);
            if (stopping && connections.Count == 0)
                drained.TrySetResult();
        }
    }

    /// <summary>
    /// Runs the handler. An exception other than the ordinary end of a connection is a bug, and ends the process.
    /// </summary>
    private async void Serve(AcceptedConnection connection)
    {
        try
        {
            await handler.OnConnectedAsync(connection.Context);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            LogLost(log, e, connection.Context.RemoteEndPoint);
        }
        catch (Exception e)
        {
            FatalError.Exit(e);
        }
        await connection.Context.DisposeAsync();
        Remove(connection);
    }

    [LoggerMessage(LogLevel.Warning, "refused a connection from {From}: the maximum of {Max} connections is open")]
    private static partial void LogTooMany(ILogger log, EndPoint? from, int max);

    [LoggerMessage(LogLevel.Debug, "lost the connection from {From}")]
    private static partial void LogLost(ILogger log, Exception exception, EndPoint? from);
}

/// <summary>An open connection. The feature tells the connection's handler to finish its work and close.</summary>
[SuppressMessage(
    "Design", "CA1001", Justification = "A cancellation source without a timer and a wait handle holds nothing.")]
internal sealed class AcceptedConnection : IConnectionLifetimeNotificationFeature
{
    private readonly CancellationTokenSource closeRequested = new();

    public AcceptedConnection(ConnectionContext context)
    {
        Context = context;
        ConnectionClosedRequested = closeRequested.Token;
        context.Features.Set<IConnectionLifetimeNotificationFeature>(this);
    }

    public ConnectionContext Context { get; }

    public CancellationToken ConnectionClosedRequested { get; set; }

    public void RequestClose() => closeRequested.Cancel();

    public void Abort() => Context.Abort(new ConnectionAbortedException("the node is stopping"));
}
