namespace RaftFast.LoadTest.Load;

/// <summary>Bound on the iterations of a run, for all its simulations together.</summary>
internal sealed class Budget(long iterationsMax)
{
    private long begun;

    public bool IsSpent => Volatile.Read(ref begun) >= iterationsMax;

    public bool TryTake() => !IsSpent && Interlocked.Increment(ref begun) <= iterationsMax;
}
