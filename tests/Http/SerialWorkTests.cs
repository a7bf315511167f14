namespace RaftFast.Http.Tests;

public sealed class SerialWorkTests
{
    [Fact]
    public async Task Step_that_asks_for_itself_without_end_moves_to_another_thread()
    {
        SerialWork work = null!;
        int runs = 0;
        int runsHere = 0;
        int caller = Environment.CurrentManagedThreadId;
        TaskCompletionSource done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        work = new SerialWork(() =>
        {
            if (Environment.CurrentManagedThreadId == caller)
                runsHere++;
            if (++runs < 1000)
                work.Again();
            else
                done.SetResult();
        });
        work.Wake();
        Assert.InRange(runsHere, 1, 10);
        await done.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Assert.Equal(1000, runs);
    }
}
