using System.Diagnostics;

namespace RaftFast.Http.Tests;

internal static class Eventually
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    public static async Task EndsAsync(Task task) => await task.WaitAsync(Deadline);

    public static async Task HoldsAsync(Func<bool> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Deadline, "the condition does not come true");
            await Task.Yield();
        }
    }
}
