namespace RaftFast.LoadTest.Load;

/// <summary>Iterations that a run may still begin, whatever its simulations ask for.</summary>
internal sealed class Budget(long iterationsMax)
{
    private long begun;

    public bool IsSpent => Volatile.Read(ref begun) >= iterationsMax;

    public bool TryTake() => !IsSpent && Interlocked.Increment(ref begun) <= iterationsMax;
}
