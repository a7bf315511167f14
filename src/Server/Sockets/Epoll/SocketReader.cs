using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace RaftFast.Server.Sockets.Epoll;

/// <summary>
/// Input of a connection: receives into blocks when the reader asks. Bytes that the reader has not examined hold back
/// further bytes, so TCP holds the client back. A connection that waits has no block, unless part of a request is left.
/// </summary>
internal sealed class SocketReader(EpollConnection connection, BlockStack blocks)
    : PipeReader, IValueTaskSource<ReadResult>
{
    /// <summary>A block with less room than this gets no more bytes.</summary>
    private const int RoomMin = 1024;

    private readonly PendingOperation pending = new();
    private Block? first;
    private Block? last;
    private int consumed;

    /// <summary>True once the client has closed its side: the system signals nothing more.</summary>
    private volatile bool hasPeerClosed;
    private bool mayHaveMore;
    private bool hasUnexamined;
    private bool hasEnded;
    private bool isCompleted;
    private Exception? failure;

    private bool IsReady => hasUnexamined || hasEnded || failure is not null || pending.IsCancelled;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<ReadResult>(cancellationToken);
        ThrowIfCompleted();
        if (!TryBegin())
        {
            ValueTask<ReadResult> read = new(this, pending.Version);
            return cancellationToken.CanBeCanceled ? pending.WithCancellation(read, cancellationToken) : read;
        }
        try
        {
            return new ValueTask<ReadResult>(TakeResult());
        }
        catch (IOException exception)
        {
            return ValueTask.FromException<ReadResult>(exception);
        }
    }

    public override bool TryRead(out ReadResult result)
    {
        ThrowIfCompleted();
        if (!IsReady)
            Receive();
        bool isReady = IsReady;
        result = isReady ? TakeResult() : default;
        return isReady;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        ThrowIfCompleted();
        if (last is null)
            return;
        hasUnexamined = examined.GetObject() != last || examined.GetInteger() != last.End;
        Block? kept = (Block?)consumed.GetObject();
        while (first != kept)
            DropFirst();
        this.consumed = consumed.GetInteger();
        if (kept == last && this.consumed == last!.End)
            DropFirst();
    }

    public override void CancelPendingRead() => pending.Cancel();

    public override void Complete(Exception? exception = null)
    {
        if (isCompleted)
            return;
        isCompleted = true;
        pending.Look();
        while (first is not null)
            DropFirst();
    }

    /// <summary>Called by the socket's thread when the system has something new for the reader.</summary>
    /// <param name="isLast">True if the system signals nothing more: the client has closed its side.</param>
    public void OnReady(bool isLast)
    {
        if (isLast)
            hasPeerClosed = true;
        if (!pending.Signal())
            return;
        // No other thread uses the reader while its operation waits.
        do
        {
            Receive();
            if (IsReady)
            {
                pending.Complete();
                return;
            }
        }
        while (!pending.TryContinue());
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token)
    {
        pending.GetResult(token);
        return TakeResult();
    }

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => pending.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        pending.OnCompleted(continuation, state, token, flags);

    /// <returns>False if an operation waits now.</returns>
    private bool TryBegin()
    {
        while (!IsReady)
        {
            if (mayHaveMore || hasPeerClosed || pending.IsSignalled)
            {
                Receive();
                if (IsReady)
                    return true;
            }
            if (pending.TryBegin())
                return false;
        }
        return true;
    }

    /// <summary>Receives once, if there is something to receive.</summary>
    private unsafe void Receive()
    {
        pending.Look();
        Block block = last is { } open && open.Room >= RoomMin ? open : blocks.Rent();
        nint received = EpollCalls.Receive(connection.Descriptor, block.Start + block.End, block.Room);
        int error = received < 0 ? EpollCalls.LastTransferError : 0;
        mayHaveMore = received == block.Room || error == EpollCalls.Interrupted;
        if (received > 0)
        {
            block.Advance((int)received);
            hasUnexamined = true;
            if (block == last)
                return;
            last?.Append(block);
            first ??= block;
            last = block;
            return;
        }
        if (block != last)
            blocks.Return(block);
        if (connection.Aborted is { } aborted)
            Fail(aborted);
        else if (received == 0)
            End();
        else if (error is not (EpollCalls.WouldBlock or EpollCalls.Interrupted))
            Fail(EpollConnection.Failure(error));
    }

    private void End()
    {
        hasEnded = true;
        connection.HasClosed();
    }

    private void Fail(Exception exception)
    {
        failure = exception;
        connection.HasClosed();
    }

    private ReadResult TakeResult()
    {
        if (failure is not null)
            throw new IOException(failure.Message, failure);
        bool wasCancelled = pending.TakeCancellation();
        ReadOnlySequence<byte> buffer =
            first is null ? default : new ReadOnlySequence<byte>(first, consumed, last!, last!.End);
        return new ReadResult(buffer, wasCancelled, hasEnded);
    }

    private void DropFirst()
    {
        Block block = first!;
        first = block.NextBlock;
        consumed = 0;
        if (first is null)
            last = null;
        blocks.Return(block);
    }

    private void ThrowIfCompleted()
    {
        if (isCompleted)
            throw new InvalidOperationException("the reader is completed");
    }
}
