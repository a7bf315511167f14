using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using RaftFast.Protocol;

namespace RaftFast.Http;

/// <summary>
/// Polls the two pipes of a connection; no call waits. When a pending operation completes, a thread of the transport
/// calls the <c>wake</c> given to the constructor. Only one thread at a time may use a member.
/// </summary>
#pragma warning disable CA2012 // Each operation is kept as its awaiter, and its result is taken once.
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

    /// <summary>True while a read is pending: no bytes of the client are left to take.</summary>
    public bool IsReading { get; private set; }

    /// <summary>True while a flush is pending: the client does not take its answers fast enough.</summary>
    public bool IsFlushing { get; private set; }

    /// <summary>True once nothing can be sent anymore.</summary>
    public bool IsGone { get; private set; }

    /// <summary>True while a read is pending and nothing has come for it.</summary>
    public bool IsStarved => IsReading && !Volatile.Read(ref hasInput);

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
    /// Takes the bytes that have arrived; the caller then calls <see cref="Advance"/>. Returns false if no bytes have
    /// arrived, or if the connection has ended.
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
            // Any exception of a pipe here means that the connection is gone: reset, aborted or broken.
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

    /// <summary>Returns true if a pending flush has completed since the last call.</summary>
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

    /// <summary>Closes the connection and drops its unsent answers.</summary>
    public void Abort(string reason)
    {
        if (IsGone || connection is null)
            return;
        IsGone = true;
        connection.Abort(new ConnectionAbortedException(reason));
    }

    /// <summary>
    /// Closes the pipes. While an operation is pending, cancels the operation and returns false; the cancelled
    /// operation then wakes the connection.
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
