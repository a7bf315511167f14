namespace RaftFast.Server.Tests.Functional;

/// <summary>Waits for a condition with a deadline.</summary>
internal static class Eventually
{
    /// <summary>Long enough that only a server that will never do it misses it, on a busy machine too.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(5);

    /// <param name="otherwise">What to say when the deadline has passed.</param>
    public static void Hold(Func<bool> condition, Func<string> otherwise) => Hold(condition, Patience, otherwise);

    public static void Hold(Func<bool> condition, TimeSpan within, Func<string> otherwise)
    {
        long start = Environment.TickCount64;
        while (!condition())
        {
            if (Environment.TickCount64 - start > within.TotalMilliseconds)
                Assert.Fail($"not within {within.TotalSeconds} s: {otherwise()}");
            Thread.Sleep(PollInterval);
        }
    }
}
