using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// The pipes of a connection, polled: nothing here waits, and the <c>wake</c> it is made with is called, on a thread of the
/// pipes's, when what was pending has come. All members are for one thread at a time.
/// </summary>
#pragma warning disable CA2012 // Each operation is kept as its awaiter, and its result is taken once: an await would need a state machine for each.
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

    /// <summary>A read is pending: the client has the word.</summary>
    public bool IsReading { get; private set; }

    /// <summary>A flush is pending: the client does not take what it was sent.</summary>
    public bool IsFlushing { get; private set; }

    /// <summary>Nothing can be sent any more.</summary>
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

    /// <summary>Takes what has arrived, to be followed by <see cref="Advance"/>; false if it has yet to arrive, or never will.</summary>
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
            // Reset, aborted, broken: whatever a pipes throws here says that there is no connection.
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

    /// <summary>True if a pending flush has ended.</summary>
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

    /// <summary>Drops the connection with what it still has to send.</summary>
    public void Abort(string reason)
    {
        if (IsGone || connection is null)
            return;
        IsGone = true;
        connection.Abort(new ConnectionAbortedException(reason));
    }

    /// <summary>False while something is pending: it is cancelled, and wakes.</summary>
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
