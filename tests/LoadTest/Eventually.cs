namespace RaftFast.LoadTest.Tests;

/// <summary>Waits for a condition with a deadline.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static async Task HoldAsync(Func<bool> condition)
    {
        long start = Environment.TickCount64;
        while (!condition())
        {
            Assert.True(Environment.TickCount64 - start < Patience.TotalMilliseconds, "the condition does not come to hold");
            await Task.Delay(1, TestContext.Current.CancellationToken);
        }
    }
}
