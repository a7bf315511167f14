namespace RaftFast.Tests;

/// <summary>
/// Bytes that the current thread allocates. A garbage collection during a count adds up to 8 KiB that the thread did
/// not allocate. So an action is counted several times, and the least count is the result.
/// </summary>
internal static class Allocations
{
    private const int CountsMax = 10;

    public static long Of(Action action)
    {
        long least = long.MaxValue;
        for (int count = 0; count < CountsMax && least > 0; count++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            action();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }
        return least;
    }
}
