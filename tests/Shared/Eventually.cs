using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace RaftFast.Tests;

/// <summary>Waits until a condition holds. A condition that doesn't hold before the deadline fails the test.</summary>
internal static class Eventually
{
    /// <summary>Long enough for a busy machine: only a condition that will never hold exceeds the deadline.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(5);

    /// <summary>
    /// Waits for a condition that another thread of the test process makes true, usually within microseconds.
    /// </summary>
    public static void True(Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string text = "") =>
        Assert.True(SpinWait.SpinUntil(condition, Deadline), $"not within {Deadline.TotalSeconds} s: {text}");

    /// <summary>Waits for a condition that another process makes true: polls at an interval.</summary>
    /// <param name="otherwise">The failure's message, made when the deadline has passed.</param>
    public static void True(Func<bool> condition, Func<string> otherwise) => True(condition, Deadline, otherwise);

    public static void True(Func<bool> condition, TimeSpan within, Func<string> otherwise)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > within)
                Assert.Fail($"not within {within.TotalSeconds} s: {otherwise()}");
            Thread.Sleep(PollInterval);
        }
    }

    /// <summary>The same as <see cref="True(Func{bool}, string)"/>, but blocks no thread.</summary>
    public static async Task TrueAsync(
        Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string text = "")
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(start) < Deadline, $"not within {Deadline.TotalSeconds} s: {text}");
            await Task.Yield();
        }
    }

    public static Task EndsAsync(Task task) => task.WaitAsync(Deadline);
}
