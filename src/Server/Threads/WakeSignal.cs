using System.Threading.Tasks.Sources;

namespace RaftFast.Server.Threads;

/// <summary>
/// Auto-reset event for one asynchronous waiter and any number of setters. A setter costs one compare-and-swap, and a
/// thread-pool item only if the waiter waits. Nothing allocates.
/// </summary>
internal sealed class WakeSignal : IValueTaskSource, IThreadPoolWorkItem
{
    private const int Idle = 0;
    private const int Signalled = 1;
    private const int Waiting = 2;

    private ManualResetValueTaskSourceCore<bool> source;
    private int state;

    /// <summary>True while the waiter is parked. The waiter stays parked until <see cref="Set"/>.</summary>
    public bool IsWaiting => Volatile.Read(ref state) == Waiting;

    public ValueTask WaitAsync()
    {
        if (Interlocked.CompareExchange(ref state, Idle, Signalled) == Signalled)
            return default;
        source.Reset();
        if (Interlocked.CompareExchange(ref state, Waiting, Idle) == Idle)
            return new ValueTask(this, source.Version);
        // Full fence: a setter that still finds the old signal does nothing, so the waiter must see what that setter
        // wrote.
        Interlocked.Exchange(ref state, Idle);
        return default;
    }

    /// <summary>Lets the waiter continue on another thread.</summary>
    public void Set()
    {
        if (TrySet())
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Lets the waiter continue on this thread, before this call returns.</summary>
    public void SetHere()
    {
        if (TrySet())
            source.SetResult(true);
    }

    /// <returns>True if the waiter waited: the caller must now wake it.</returns>
    private bool TrySet()
    {
        while (Interlocked.CompareExchange(ref state, Signalled, Idle) == Waiting)
        {
            if (Interlocked.CompareExchange(ref state, Idle, Waiting) == Waiting)
                return true;
        }
        return false;
    }

    void IThreadPoolWorkItem.Execute() => source.SetResult(true);

    void IValueTaskSource.GetResult(short token) => source.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => source.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        source.OnCompleted(continuation, state, token, flags);
}
