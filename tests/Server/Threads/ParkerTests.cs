using RaftFast.Server.Threads;

namespace RaftFast.Server.Tests.Threads;

public sealed class ParkerTests
{
    private const int Forever = 20_000;

    [Fact]
    public void A_wake_up_between_announcing_and_parking_counts()
    {
        Parker parker = new();
        parker.Announce();
        parker.Unpark();
        Thread sleeper = new(() => parker.Park(Timeout.Infinite)) { IsBackground = true };
        sleeper.Start();
        Assert.True(sleeper.Join(Forever));
    }

    [Fact]
    public void Who_awaits_something_returns_when_it_is_there_or_its_time_is_up()
    {
        Parker parker = new();
        int isThere = 0;
        Assert.False(parker.Await(() => Volatile.Read(ref isThere) != 0, 0));
        Assert.False(parker.Await(() => Volatile.Read(ref isThere) != 0, 1));
        bool found = false;
        Thread sleeper = new(() => found = parker.Await(() => Volatile.Read(ref isThere) != 0, Timeout.Infinite))
        {
            IsBackground = true,
        };
        sleeper.Start();
        Interlocked.Exchange(ref isThere, 1);
        parker.Unpark();
        Assert.True(sleeper.Join(Forever));
        Assert.True(found);
    }

    [Fact]
    public void Two_threads_that_wake_each_other_never_both_sleep()
    {
        const int Rounds = 20_000;
        Parker[] parkers = [new(), new()];
        int round = 0;
        Thread[] threads = [.. Enumerable.Range(0, 2).Select(me => new Thread(() =>
        {
            for (int mine = me; mine < Rounds; mine += 2)
            {
                while (Volatile.Read(ref round) != mine)
                {
                    parkers[me].Announce();
                    if (Volatile.Read(ref round) == mine)
                        parkers[me].Withdraw();
                    else
                        parkers[me].Park(Timeout.Infinite);
                }
                Interlocked.Increment(ref round);
                parkers[1 - me].Unpark();
            }
        }) { IsBackground = true })];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            Assert.True(thread.Join(Forever));
        Assert.Equal(Rounds, round);
    }
}
