using RaftFast.Protocol;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Tests.Threads;

[Collection(nameof(Alone))]
public sealed class InboxTests
{
    /// <summary>
    /// Milliseconds that never pass in a healthy run: a wait that lasts this long has lost a wake-up.
    /// </summary>
    private const int Forever = 20_000;

    private readonly object?[] taken = new object?[64];

    [Fact]
    public void Items_are_taken_in_the_order_in_which_they_were_posted()
    {
        Inbox inbox = new(8);
        string[] items = ["a", "b", "c"];
        foreach (string item in items)
            inbox.Post(item);
        Assert.Equal(3, inbox.Drain(taken));
        Assert.Equal(items, taken[..3]);
        Assert.Equal(0, inbox.Drain(taken));
    }

    [Fact]
    public void Drain_takes_no_more_than_there_is_room_for()
    {
        Inbox inbox = new(8);
        for (int i = 0; i < 5; i++)
            inbox.Post(this);
        Assert.Equal(2, inbox.Drain(taken.AsSpan(0, 2)));
        Assert.Equal(3, inbox.Drain(taken));
    }

    [Fact]
    public void A_full_inbox_is_a_bug_and_is_usable_again_once_drained()
    {
        Inbox inbox = new(4);
        for (int i = 0; i < 4; i++)
            inbox.Post(this);
        Assert.Throws<InvariantException>(() => inbox.Post(this));
        Assert.Equal(4, inbox.Drain(taken));
        inbox.Post(this);
        Assert.Equal(1, inbox.Drain(taken));
    }

    [Fact]
    public void The_ring_goes_around_at_every_fill_level()
    {
        Inbox inbox = new(4);
        object[] items = [new(), new(), new(), new()];
        for (int round = 0; round < 100; round++)
        {
            int count = round % 4 + 1;
            for (int i = 0; i < count; i++)
                inbox.Post(items[i]);
            Assert.Equal(count, inbox.Drain(taken));
            Assert.Equal(items[..count], taken[..count]);
        }
    }

    [Fact]
    public void Wait_says_whether_something_is_there()
    {
        Inbox inbox = Opened(4);
        Assert.False(inbox.Wait(0));
        Assert.False(inbox.Wait(1));
        inbox.Post(this);
        Assert.True(inbox.Wait(0));
        Assert.True(inbox.Wait(Forever));
        inbox.Drain(taken);
        Assert.False(inbox.Wait(1));
    }

    [Fact]
    public void A_signal_waits_once_however_often_it_is_posted_and_counts_again_once_taken()
    {
        Inbox inbox = new(2);
        Note signal = new();
        for (int i = 0; i < 10; i++)
            inbox.Post(signal);
        Assert.True(signal.IsWaiting);
        Assert.Equal(1, inbox.Drain(taken));
        Assert.False(signal.IsWaiting);
        inbox.Post(signal);
        Assert.Equal(1, inbox.Drain(taken));
        Assert.Same(signal, taken[0]);
    }

    [Fact]
    public void Many_producers_lose_nothing_and_each_keeps_its_order()
    {
        const int Producers = 4;
        const int Each = 40_000;
        Inbox inbox = Opened(Producers * Each);
        Numbered[][] items = new Numbered[Producers][];
        for (int p = 0; p < Producers; p++)
            items[p] = [.. Enumerable.Range(0, Each).Select(number => new Numbered(p, number))];
        Thread[] threads = [.. items.Select(own => new Thread(() =>
        {
            foreach (Numbered item in own)
                inbox.Post(item);
        }) { IsBackground = true })];
        foreach (Thread thread in threads)
            thread.Start();
        int[] next = new int[Producers];
        for (int left = Producers * Each; left > 0;)
        {
            Assert.True(inbox.Wait(Forever));
            int count = inbox.Drain(taken);
            foreach (object? item in taken.AsSpan(0, count))
            {
                Numbered numbered = Assert.IsType<Numbered>(item);
                Assert.Equal(next[numbered.Producer]++, numbered.Number);
            }
            left -= count;
        }
        Assert.Equal(0, inbox.Drain(taken));
        foreach (Thread thread in threads)
            thread.Join();
    }

    /// <summary>
    /// The answer to an item lets its producer post the next one, so that nearly every post meets a consumer about to
    /// sleep.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void No_wake_up_is_lost(int producers)
    {
        const int Each = 4_000;
        Inbox inbox = Opened(producers);
        int[] answered = new int[producers];
        Thread[] threads = [.. Enumerable.Range(0, producers).Select(p => new Thread(() =>
        {
            Numbered item = new(p, 0);
            for (int i = 0; i < Each; i++)
            {
                inbox.Post(item);
                while (Volatile.Read(ref answered[p]) <= i)
                    Thread.SpinWait(i % 50);
            }
        }) { IsBackground = true })];
        foreach (Thread thread in threads)
            thread.Start();
        for (int left = producers * Each; left > 0;)
        {
            Assert.True(inbox.Wait(Forever));
            int count = inbox.Drain(taken);
            foreach (object? item in taken.AsSpan(0, count))
                Volatile.Write(ref answered[((Numbered)item!).Producer], answered[((Numbered)item!).Producer] + 1);
            left -= count;
        }
        foreach (Thread thread in threads)
            thread.Join();
    }

    [Fact]
    public void Posting_waiting_and_draining_allocate_nothing()
    {
        Inbox inbox = new(16);
        Note signal = new();
        Turn(10);
        Assert.Equal(0, Allocations.Of(() => Turn(10_000)));

        void Turn(int count)
        {
            for (int i = 0; i < count; i++)
            {
                for (int k = 0; k < 8; k++)
                    inbox.Post(this);
                inbox.Post(signal);
                inbox.Wait(1);
                inbox.Drain(taken);
            }
        }
    }

    [Fact]
    public void Who_posts_runs_the_loop_unless_another_does_and_then_it_is_that_one_s()
    {
        Inbox inbox = new(8);
        List<int> runs = [];
        inbox.PostAndRun(this, 1);
        inbox.Open(batchesMax =>
        {
            runs.Add(batchesMax);
            Assert.Equal(runs.Count == 1 ? 2 : 1, inbox.Drain(taken));
            inbox.GiveTurnBack(isDone: true);
        });
        inbox.PostAndRun(this, 7);
        Assert.Equal([7], runs);
        Assert.True(inbox.TryTakeTurn());
        Assert.False(inbox.TryTakeTurn());
        inbox.PostAndRun(this, 8);
        Assert.Equal([7], runs);
        Assert.Equal(1, inbox.Drain(taken));
        inbox.GiveTurnBack(isDone: true);
        inbox.Post(this);
        Assert.Equal([7], runs);
        inbox.Drain(taken);
        inbox.PostAndRun(new Note(), 9);
        Assert.Equal([7, 9], runs);
    }

    [Fact]
    public void What_is_left_undone_is_something_to_do_until_the_turn_is_given_back_with_nothing_left()
    {
        Inbox inbox = Opened(4);
        Assert.True(inbox.TryTakeTurn());
        inbox.GiveTurnBack(isDone: false);
        Assert.True(inbox.Wait(Forever));
        Assert.True(inbox.TryTakeTurn());
        inbox.GiveTurnBack(isDone: true);
        Assert.False(inbox.Wait(0));
    }

    [Fact]
    public void What_is_added_is_for_who_runs_next()
    {
        Inbox inbox = new(4);
        int taken = 0;
        inbox.Open(_ =>
        {
            taken += inbox.Drain(this.taken);
            inbox.GiveTurnBack(isDone: true);
        });
        inbox.Add(this);
        inbox.Add(this);
        Assert.Equal(0, taken);
        inbox.Run(1);
        Assert.Equal(2, taken);
    }

    /// <summary>
    /// Some threads run the loop, some only post, and one is the loop's own. Each item is taken once, by one thread at
    /// a time.
    /// </summary>
    [Fact]
    public void The_turn_is_one_thread_s_and_nothing_is_left_lying()
    {
        const int Producers = 4;
        const int Each = 20_000;
        Inbox inbox = new(Producers);
        int[] answered = new int[Producers];
        int inside = 0;
        inbox.Open(Run);
        Thread[] threads = [.. Enumerable.Range(0, Producers).Select(p => new Thread(() =>
        {
            Numbered item = new(p, 0);
            for (int i = 0; i < Each; i++)
            {
                if (p % 2 == 0)
                    inbox.PostAndRun(item, 1);
                else
                    inbox.Post(item);
                long deadline = Environment.TickCount64 + Forever;
                for (int spins = 0; Volatile.Read(ref answered[p]) <= i; spins++)
                {
                    if (spins < 100)
                        Thread.SpinWait(i % 50);
                    else
                        Thread.Yield();
                    Assert.True(Environment.TickCount64 < deadline);
                }
            }
        }) { IsBackground = true })];
        foreach (Thread thread in threads)
            thread.Start();
        while (threads.Any(static thread => thread.IsAlive))
        {
            if (inbox.TryTakeTurn())
            {
                Run(1);
                inbox.Wait(100);
            }
            else
            {
                inbox.WaitForTurn(1);
            }
        }
        Assert.All(answered, static count => Assert.Equal(Each, count));

        void Run(int batchesMax)
        {
            Assert.Equal(1, Interlocked.Increment(ref inside));
            int count = inbox.Drain(taken);
            foreach (object? item in taken.AsSpan(0, count))
                Volatile.Write(ref answered[((Numbered)item!).Producer], answered[((Numbered)item!).Producer] + 1);
            Interlocked.Decrement(ref inside);
            inbox.GiveTurnBack(isDone: true);
        }
    }

    [Fact]
    public void A_loop_that_holds_work_for_more_requests_gets_one_more_round_even_if_none_comes()
    {
        Inbox inbox = new(8);
        List<bool> mayHold = [];
        inbox.Open(_ =>
        {
            mayHold.Add(Inbox.MayHold);
            inbox.Drain(taken);
            inbox.SetHeld(Inbox.MayHold);
            inbox.GiveTurnBack(isDone: true);
        });

        inbox.BeginRound();
        Assert.False(inbox.EndRound(mayHold: true)); // nothing was posted, so nothing is held
        inbox.BeginRound();
        inbox.PostAndRun(this, 1);
        Assert.Empty(mayHold);
        Assert.True(inbox.EndRound(mayHold: true));
        Assert.False(Inbox.MayHold);
        inbox.BeginRound();
        Assert.False(inbox.EndRound(mayHold: false));
        inbox.BeginRound();
        Assert.False(inbox.EndRound(mayHold: false));
        Assert.Equal([true, false], mayHold);
    }

    [Fact]
    public void What_one_thread_holds_another_thread_that_runs_the_loop_releases()
    {
        Inbox inbox = new(8);
        inbox.Open(_ =>
        {
            inbox.Drain(taken);
            inbox.SetHeld(Inbox.MayHold);
            inbox.GiveTurnBack(isDone: true);
        });
        inbox.BeginRound();
        inbox.PostAndRun(this, 1);
        Assert.True(inbox.EndRound(mayHold: true));
        Thread other = new(() => inbox.PostAndRun(this, 1));
        other.Start();
        other.Join();
        inbox.BeginRound();
        Assert.False(inbox.EndRound(mayHold: true));
    }

    /// <summary>An inbox whose turn is free, as while the loop's own thread sleeps.</summary>
    private static Inbox Opened(int capacity)
    {
        Inbox inbox = new(capacity);
        inbox.Open(_ => inbox.GiveTurnBack(isDone: true));
        return inbox;
    }

    private sealed record Numbered(int Producer, int Number);

    private sealed class Note : InboxSignal;
}
