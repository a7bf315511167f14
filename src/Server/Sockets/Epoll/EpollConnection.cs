using System.ComponentModel;
using System.Globalization;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace RaftFast.Server.Sockets.Epoll;

/// <summary>
/// An accepted socket. Any thread may use its reader or its writer, one thread at a time. Only the socket's thread
/// closes the socket, so a descriptor that the system gives out again is never mistaken for this one.
/// </summary>
internal sealed class EpollConnection : ConnectionContext, IDuplexPipe, IConnectionSocketFeature
{
    private static long lastId;

    private readonly EpollThread thread;
    private readonly SocketReader reader;
    private readonly SocketWriter writer;
    private readonly CancellationTokenSource closed = new();
    private int hasClosed;
    private ConnectionAbortedException? aborted;

    public EpollConnection(Socket socket, EpollThread thread, BlockStack blocks)
    {
        Socket = socket;
        Descriptor = (int)socket.Handle;
        this.thread = thread;
        reader = new SocketReader(this, blocks);
        writer = new SocketWriter(this, blocks);
        Transport = this;
        ConnectionId = Interlocked.Increment(ref lastId).ToString(CultureInfo.InvariantCulture);
        ConnectionClosed = closed.Token;
        LocalEndPoint = socket.LocalEndPoint;
        RemoteEndPoint = socket.RemoteEndPoint;
        Features.Set<IConnectionSocketFeature>(this);
    }

    public Socket Socket { get; }

    public int Descriptor { get; }

    /// <summary>Index of the connection in the table of its thread.</summary>
    public int Slot { get; set; }

    /// <summary>Reason for which the connection was aborted, or null.</summary>
    public Exception? Aborted => Volatile.Read(ref aborted);

    public override string ConnectionId { get; set; }

    public override IFeatureCollection Features { get; } = new FeatureCollection();

    public override IDictionary<object, object?> Items { get; set; } = new ConnectionItems();

    public override IDuplexPipe Transport { get; set; }

    PipeReader IDuplexPipe.Input => reader;

    PipeWriter IDuplexPipe.Output => writer;

    /// <summary>Returns the exception for an error number of a receive.</summary>
    public static IOException Failure(int error)
    {
        const int ConnectionReset = 104;
        Win32Exception cause = new(error);
        return error == ConnectionReset
            ? new ConnectionResetException(cause.Message, cause)
            : new IOException(cause.Message, cause);
    }

    /// <summary>Called by the connection's thread with what epoll says of the socket.</summary>
    public void OnEvents(uint events)
    {
        bool hasFailed = (events & (EpollCalls.HangUp | EpollCalls.Error)) != 0;
        if ((events & EpollCalls.Output) != 0 || hasFailed)
            writer.OnReady();
        bool isLast = hasFailed || (events & EpollCalls.PeerClosed) != 0;
        if ((events & EpollCalls.Input) != 0 || isLast)
            reader.OnReady(isLast);
        if (hasFailed)
            HasClosed();
    }

    /// <summary>Cancels the token of the connection's end, once.</summary>
    public void HasClosed()
    {
        if (Interlocked.Exchange(ref hasClosed, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(static source => source.Cancel(), closed, preferLocal: false);
    }

    public override void Abort(ConnectionAbortedException abortReason)
    {
        if (Interlocked.CompareExchange(ref aborted, abortReason, null) is not null)
            return;
        try
        {
            // epoll then signals both directions.
            Socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The connection has ended already.
        }
    }

    /// <summary>Closes the socket after the bytes that were written before the writer was completed are sent.</summary>
    public override async ValueTask DisposeAsync()
    {
        reader.Complete();
        writer.Complete();
        await writer.Drained.ConfigureAwait(false);
        HasClosed();
        thread.Close(this);
        await base.DisposeAsync().ConfigureAwait(false);
    }
}
