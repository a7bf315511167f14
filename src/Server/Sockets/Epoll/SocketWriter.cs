using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace RaftFast.Server.Sockets.Epoll;

/// <summary>
/// Output of a connection: a flush sends the blocks that were written. If the socket takes only a part, the flush
/// completes when the client has taken enough for the rest to be sent.
/// </summary>
internal sealed class SocketWriter(EpollConnection connection, BlockStack blocks)
    : PipeWriter, IValueTaskSource<FlushResult>
{
    private readonly TaskCompletionSource drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PendingOperation pending = new();
    private Block? first;
    private Block? last;

    /// <summary>Bytes of <see cref="first"/> that are sent.</summary>
    private int sent;

    /// <summary>Last block of the flush, and the number of bytes of this block that belong to the flush.</summary>
    private Block? flushLast;
    private int flushEnd;
    private long unflushed;
    private bool isCompleted;
    private bool hasFailed;

    public override bool CanGetUnflushedBytes => true;

    public override long UnflushedBytes => unflushed;

    /// <summary>Completes when the writer is completed and all its bytes are sent, or can't be sent.</summary>
    public Task Drained => drained.Task;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        ThrowIfCompleted();
        if (last is null || last.Room < Math.Max(sizeHint, 1))
        {
            Block block = blocks.Rent(sizeHint);
            last?.Append(block);
            first ??= block;
            last = block;
        }
        return last.Rest;
    }

    public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

    public override void Advance(int bytes)
    {
        if (bytes == 0)
            return;
        last!.Advance(bytes);
        unflushed += bytes;
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<FlushResult>(cancellationToken);
        ThrowIfCompleted();
        if (!TryFlush())
        {
            ValueTask<FlushResult> flush = new(this, pending.Version);
            return cancellationToken.CanBeCanceled ? pending.WithCancellation(flush, cancellationToken) : flush;
        }
        return new ValueTask<FlushResult>(TakeResult());
    }

    public override void CancelPendingFlush() => pending.Cancel();

    /// <summary>Sends what is left, unless the writer gives up with an exception.</summary>
    public override void Complete(Exception? exception = null)
    {
        if (isCompleted)
            return;
        isCompleted = true;
        pending.TakeCancellation();
        // Otherwise the operation of a flush would be completed after its caller has stopped waiting.
        pending.TryTake();
        if (exception is not null)
            hasFailed = true;
        if (TryFlush())
            EndDrain();
    }

    /// <summary>Called by the socket's thread when the socket may take bytes again, or has failed.</summary>
    public void OnReady()
    {
        if (!pending.Signal())
            return;
        // No other thread sends while an operation waits.
        while (!TrySend() && !pending.IsCancelled)
        {
            if (pending.TryContinue())
                return;
        }
        if (isCompleted)
            EndDrain();
        else
            pending.Complete();
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token)
    {
        pending.GetResult(token);
        return TakeResult();
    }

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => pending.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        pending.OnCompleted(continuation, state, token, flags);

    /// <returns>False if an operation waits now.</returns>
    private bool TryFlush()
    {
        flushLast = last;
        flushEnd = last?.End ?? 0;
        unflushed = 0;
        while (!pending.IsCancelled)
        {
            if (TrySend())
                return true;
            if (pending.TryBegin())
                return false;
        }
        return true;
    }

    /// <summary>Sends the bytes of the flush. If the socket has failed, drops them.</summary>
    /// <returns>False if the socket takes no more bytes for now.</returns>
    private unsafe bool TrySend()
    {
        pending.Look();
        ByteSpan* spans = stackalloc ByteSpan[EpollCalls.SpansMax];
        while (!hasFailed)
        {
            int count = Gather(spans);
            if (count == 0)
                return true;
            nint length = EpollCalls.Send(connection.Descriptor, spans, count);
            if (length >= 0)
            {
                Drop((int)length);
                continue;
            }
            int error = EpollCalls.LastTransferError;
            if (error == EpollCalls.WouldBlock)
                return false;
            hasFailed = error != EpollCalls.Interrupted;
        }
        return true;
    }

    private unsafe int Gather(ByteSpan* spans)
    {
        int count = 0;
        int begin = sent;
        for (Block? block = first; block is not null && count < EpollCalls.SpansMax; block = block.NextBlock)
        {
            bool isLast = block == flushLast;
            int end = isLast ? flushEnd : block.End;
            if (end > begin)
                spans[count++] = new ByteSpan { Start = block.Start + begin, Length = (nuint)(end - begin) };
            if (isLast)
                break;
            begin = 0;
        }
        return count;
    }

    /// <summary>Drops bytes that are sent. The flush's last block stays: the writer may be adding to it.</summary>
    private void Drop(int bytes)
    {
        while (first != flushLast && bytes >= first!.End - sent)
        {
            bytes -= first.End - sent;
            Block block = first;
            first = block.NextBlock;
            sent = 0;
            blocks.Return(block);
        }
        sent += bytes;
    }

    private FlushResult TakeResult()
    {
        bool wasCancelled = pending.TakeCancellation();
        if (hasFailed || (first is not null && first == last && sent == first.End))
            DropAll();
        return new FlushResult(wasCancelled, hasFailed);
    }

    private void EndDrain()
    {
        DropAll();
        drained.TrySetResult();
    }

    private void DropAll()
    {
        while (first is { } block)
        {
            first = block.NextBlock;
            blocks.Return(block);
        }
        last = flushLast = null;
        sent = 0;
    }

    private void ThrowIfCompleted()
    {
        if (isCompleted)
            throw new InvalidOperationException("the writer is completed");
    }
}
