using RaftFast.Server.Tests.Peers;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Tests.Threads;

public sealed class WakeSignalTests
{
    [Fact]
    public async Task Set_before_the_wait_is_not_lost_and_counts_once()
    {
        WakeSignal signal = new();
        signal.Set();
        signal.Set();
        Task first = signal.WaitAsync().AsTask();
        Assert.True(first.IsCompletedSuccessfully);
        Task second = signal.WaitAsync().AsTask();
        Assert.False(second.IsCompleted);
        Assert.True(signal.IsWaiting);
        signal.Set();
        await second;
        Assert.False(signal.IsWaiting);
    }

    [Fact]
    public void Waiter_goes_on_within_the_call_that_says_so()
    {
        WakeSignal signal = new();
        bool hasGoneOn = false;
        Task waiting = WaitAsync();
        Assert.True(signal.IsWaiting);
        signal.SetHere();
        Assert.True(hasGoneOn);
        Assert.True(waiting.IsCompletedSuccessfully);
        signal.SetHere();
        Assert.True(WaitAsync().IsCompletedSuccessfully);

        async Task WaitAsync()
        {
            await signal.WaitAsync();
            hasGoneOn = true;
        }
    }

    [Fact]
    public async Task No_wake_up_is_lost_with_many_setters()
    {
        const int Setters = 3;
        const int Each = 20_000;
        WakeSignal signal = new();
        int set = 0;
        Task waiter = Task.Run(
            async () =>
            {
                while (Volatile.Read(ref set) < Setters * Each)
                    await signal.WaitAsync();
            },
            TestContext.Current.CancellationToken);
        Task[] setters = [.. Enumerable.Range(0, Setters).Select(_ => Task.Run(() =>
        {
            for (int i = 0; i < Each; i++)
            {
                Interlocked.Increment(ref set);
                signal.Set();
            }
        }))];
        await Task.WhenAll(setters);
        await waiter.WaitAsync(Eventually.Deadline, TestContext.Current.CancellationToken);
    }

    /// <summary>Two tasks wake each other in turn: a lost wake-up would leave both waiting.</summary>
    [Fact]
    [Trait("Suite", "Long")] // five million wake-ups
    public async Task Nothing_set_while_an_earlier_signal_is_taken_is_missed()
    {
        const long Last = 5_000_000;
        WakeSignal signal = new();
        long said = 0;
        long heard = 0;
        Task hearing = Task.Run(
            async () =>
            {
                while (heard < Last)
                {
                    long now = Volatile.Read(ref said);
                    if (now == heard)
                        await signal.WaitAsync();
                    else
                        Volatile.Write(ref heard, now);
                }
            },
            TestContext.Current.CancellationToken);
        for (long i = 1; i <= Last; i++)
        {
            Volatile.Write(ref said, i);
            signal.Set();
            // Set without waiting every other time, so that a signal arrives while another is being taken.
            if (i % 5 == 0)
                Eventually.True(() => Volatile.Read(ref heard) == i);
        }
        await hearing;
    }
}
