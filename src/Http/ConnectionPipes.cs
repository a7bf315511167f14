using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// A connection's two pipes, polled: no method waits. The transport calls <c>wake</c>, on a thread of its own, when a
/// pending read or flush completes. Only one thread at a time may use this class.
/// </summary>
#pragma warning disable CA2012 // Each operation is kept as its awaiter, and its result is taken once: no state machine.
internal sealed class ConnectionPipes
{
    private readonly Action onInput;
    private readonly Action onFlushed;

    private ConnectionContext? connection;
    private ValueTaskAwaiter<ReadResult> read;
    private ValueTaskAwaiter<FlushResult> flush;
    private bool hasInput;
    private bool hasFlushed;
    private bool isCancelled;

    public ConnectionPipes(Action wake)
    {
        onInput = () =>
        {
            Volatile.Write(ref hasInput, true);
            wake();
        };
        onFlushed = () =>
        {
            Volatile.Write(ref hasFlushed, true);
            wake();
        };
    }

    /// <summary>True while a read is pending: the client has sent no further bytes.</summary>
    public bool IsReading { get; private set; }

    /// <summary>True while a flush is pending: the client has not yet received enough of its answers.</summary>
    public bool IsFlushing { get; private set; }

    /// <summary>True if the connection is broken or aborted, so that no answer can be sent.</summary>
    public bool IsGone { get; private set; }

    public PipeWriter Output => connection!.Transport.Output;

    public long UnflushedBytes => Output.UnflushedBytes;

    private PipeReader Input => connection!.Transport.Input;

    public void Open(ConnectionContext opened)
    {
        Invariant.Hold(connection is null);
        Invariant.Hold(!IsReading);
        Invariant.Hold(!IsFlushing);
        connection = opened;
        IsGone = false;
        isCancelled = false;
    }

    /// <summary>
    /// Takes the input that has arrived; the caller calls <see cref="Advance"/> next. Returns false if no input has
    /// arrived, or if the connection is gone.
    /// </summary>
    public bool TryRead(out ReadResult result)
    {
        result = default;
        if (IsGone)
            return false;
        if (IsReading && !Volatile.Read(ref hasInput))
            return false;
        try
        {
            if (!IsReading)
            {
                read = Input.ReadAsync().GetAwaiter();
                if (!read.IsCompleted)
                {
                    Volatile.Write(ref hasInput, false);
                    IsReading = true;
                    read.UnsafeOnCompleted(onInput);
                    return false;
                }
            }
            IsReading = false;
            result = read.GetResult();
            return true;
        }
        catch (Exception exception) when (exception is not InvariantException)
        {
            // The connection was reset, aborted or broken: any exception of a pipe means that it is gone.
            IsGone = true;
            return false;
        }
    }

    public void Advance(SequencePosition consumed, SequencePosition examined) => Input.AdvanceTo(consumed, examined);

    public void Flush()
    {
        Invariant.Hold(!IsFlushing);
        try
        {
            flush = Output.FlushAsync().GetAwaiter();
            if (flush.IsCompleted)
            {
                IsGone |= flush.GetResult().IsCompleted;
                return;
            }
        }
        catch (Exception exception) when (exception is not InvariantException)
        {
            IsGone = true;
            return;
        }
        Volatile.Write(ref hasFlushed, false);
        IsFlushing = true;
        flush.UnsafeOnCompleted(onFlushed);
    }

    /// <summary>
    /// Ends a pending flush if the transport has completed it. Returns false if none is pending, or not yet complete.
    /// </summary>
    public bool PollFlush()
    {
        if (!IsFlushing || !Volatile.Read(ref hasFlushed))
            return false;
        IsFlushing = false;
        try
        {
            IsGone |= flush.GetResult().IsCompleted;
        }
        catch (Exception exception) when (exception is not InvariantException)
        {
            IsGone = true;
        }
        return true;
    }

    /// <summary>Drops the connection and the answers that it has not sent.</summary>
    public void Abort(string reason)
    {
        if (IsGone || connection is null)
            return;
        IsGone = true;
        connection.Abort(new ConnectionAbortedException(reason));
    }

    /// <summary>
    /// Completes both pipes. Returns false while a read or flush is pending, after cancelling it: the cancellation
    /// calls <c>wake</c>.
    /// </summary>
    public bool TryClose()
    {
        PollFlush();
        if (IsReading && Volatile.Read(ref hasInput))
            IsReading = false;
        if (IsReading || IsFlushing)
        {
            if (isCancelled)
                return false;
            isCancelled = true;
            if (IsReading)
                Input.CancelPendingRead();
            if (IsFlushing)
                Output.CancelPendingFlush();
            return false;
        }
        Input.Complete();
        Output.Complete();
        connection = null;
        return true;
    }
}
