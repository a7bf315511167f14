using System.Threading.Tasks.Sources;

namespace RaftFast.Server.Sockets.Epoll;

/// <summary>
/// Read or flush that waits for one direction of a socket. The socket's thread signals that the system may have
/// something new. Each waiting operation is completed by exactly one thread, the one that takes it.
/// </summary>
internal sealed class PendingOperation
{
    private const int Unknown = 0;
    private const int Signalled = 1;
    private const int Waiting = 2;

    private ManualResetValueTaskSourceCore<bool> waiter;
    private int state;
    private int isCancelled;

    public short Version => waiter.Version;

    /// <summary>True from a cancellation until <see cref="TakeCancellation"/>.</summary>
    public bool IsCancelled => Volatile.Read(ref isCancelled) != 0;

    /// <summary>True if the socket's thread has signalled since the last <see cref="Look"/>.</summary>
    public bool IsSignalled => Volatile.Read(ref state) == Signalled;

    /// <summary>Called before a system call: a signal that comes after this call is not lost.</summary>
    public void Look() => Interlocked.Exchange(ref state, Unknown);

    /// <summary>Called by the socket's thread.</summary>
    /// <returns>True if an operation waited. The caller has taken it, and tries to complete it.</returns>
    public bool Signal() => Interlocked.Exchange(ref state, Signalled) == Waiting;

    /// <summary>Begins to wait with a new operation.</summary>
    /// <returns>False if there is something new, or if the operation is cancelled: then look again.</returns>
    public bool TryBegin()
    {
        waiter.Reset();
        return TryContinue();
    }

    /// <summary>Waits on with an operation that this thread has taken.</summary>
    /// <returns>False if there is something new, or if the operation is cancelled: then look again.</returns>
    public bool TryContinue()
    {
        if (Interlocked.CompareExchange(ref state, Waiting, Unknown) != Unknown)
            return false;
        // A cancellation before the wait began has found nothing to cancel.
        return !IsCancelled || !TryTake();
    }

    /// <returns>True if an operation waited. The caller has taken it.</returns>
    public bool TryTake() => Interlocked.CompareExchange(ref state, Unknown, Waiting) == Waiting;

    /// <summary>Completes an operation that the caller has taken. May run the rest of the operation's caller.</summary>
    public void Complete() => waiter.SetResult(true);

    /// <summary>Cancels the operation that waits, or else the next one.</summary>
    public void Cancel()
    {
        Interlocked.Exchange(ref isCancelled, 1);
        if (TryTake())
            Complete();
    }

    public bool TakeCancellation() => Interlocked.Exchange(ref isCancelled, 0) != 0;

    /// <summary>Awaits an operation. A cancellation of the token cancels this operation, and no later one.</summary>
    public async ValueTask<T> WithCancellation<T>(ValueTask<T> operation, CancellationToken cancellation)
    {
        bool wasCancelled = false;
        using (cancellation.UnsafeRegister(_ => CancelWaiting(), null))
        {
            T result = await operation;
            if (!wasCancelled)
                return result;
        }
        throw new OperationCanceledException(cancellation);

        void CancelWaiting()
        {
            if (!TryTake())
                return;
            // Set this before the completion, which may run the rest of this method.
            wasCancelled = true;
            Complete();
        }
    }

    public void GetResult(short token) => waiter.GetResult(token);

    public ValueTaskSourceStatus GetStatus(short token) => waiter.GetStatus(token);

    public void OnCompleted(
        Action<object?> continuation, object? argument, short token, ValueTaskSourceOnCompletedFlags flags) =>
        waiter.OnCompleted(continuation, argument, token, flags);
}
