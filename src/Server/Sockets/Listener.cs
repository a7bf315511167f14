using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using RaftFast.Server.Lifetime;

namespace RaftFast.Server.Sockets;

/// <summary>One bound address: accepts connections, up to a bound, and has a handler serve each.</summary>
internal sealed partial class Listener
{
    /// <summary>A handler whose connection has been cut off has nothing left to wait for.</summary>
    private static readonly TimeSpan AbortWait = TimeSpan.FromSeconds(1);

    private readonly IConnectionListener transport;
    private readonly ConnectionHandler handler;
    private readonly int connectionsMax;
    private readonly ILogger log;
    private readonly Task accepting;
    private readonly HashSet<AcceptedConnection> connections = [];
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private bool stopping;

    /// <param name="transport">Bound; the listener disposes of it.</param>
    public Listener(IConnectionListener transport, ConnectionHandler handler, int connectionsMax, ILogger log)
    {
        this.transport = transport;
        this.handler = handler;
        this.connectionsMax = connectionsMax;
        this.log = log;
        accepting = AcceptAsync();
    }

    public IPEndPoint EndPoint => (IPEndPoint)transport.EndPoint;

    public async Task StopAsync(CancellationToken cancellation)
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
                return; // The transport's memory is still in use.
        }
        await transport.DisposeAsync();
    }

    private async Task<bool> IsDrainedAsync(TimeSpan wait, CancellationToken cancellation)
    {
        await drained.Task.WaitAsync(wait, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return drained.Task.IsCompleted;
    }

    /// <summary>Ends when the transport is unbound. Whatever ended it earlier would leave a member that nobody can reach.</summary>
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
                // Elsewhere, so that a handler's first steps don't hold up the next connection.
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

    /// <summary>What a handler throws beyond the ordinary end of a connection is a bug, and stops the process.</summary>
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

    [LoggerMessage(LogLevel.Warning, "refused a connection from {From}: {Max} are open, and no more are allowed")]
    private static partial void LogTooMany(ILogger log, EndPoint? from, int max);

    [LoggerMessage(LogLevel.Debug, "lost the connection from {From}")]
    private static partial void LogLost(ILogger log, Exception exception, EndPoint? from);
}
