using RaftFast.Server.Hosting;

namespace RaftFast.Server.Tests.Hosting;

public sealed class LockWatchTests
{
    [Fact]
    public async Task Lock_that_is_lost_is_reported_once()
    {
        int verified = 0;
        List<string> reported = [];
        TaskCompletionSource failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        InvalidOperationException loss = new("the lock file was deleted");
        using (LockWatch watch = new(Verify, failure =>
            {
                reported.Add(failure.Message);
                failed.SetResult();
            }))
        {
            await Eventually.EndsAsync(failed.Task);
        }
        Assert.Equal(2, verified);
        Assert.Equal([loss.Message], reported);

        void Verify()
        {
            if (++verified == 2)
                throw loss;
        }
    }

    [Fact]
    public async Task End_of_the_watch_waits_for_the_verification_under_way()
    {
        using ManualResetEventSlim begun = new();
        using ManualResetEventSlim mayEnd = new();
        LockWatch watch = new(
            () =>
            {
                begun.Set();
                mayEnd.Wait();
            },
            failure => Assert.Fail(failure.Message));
        Assert.True(begun.Wait(Eventually.Deadline, TestContext.Current.CancellationToken));

        Task ended = Task.Run(watch.Dispose, TestContext.Current.CancellationToken);
        Assert.False(ended.IsCompleted);
        mayEnd.Set();
        await Eventually.EndsAsync(ended);
    }
}
