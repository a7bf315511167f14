using System.Text;
using RaftFast.Server.Api;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Tests.Api;

public sealed class WatchesTests
{
    private readonly ChangeHistory history = new(ChangeHistory.BytesMin);
    private readonly Watches watches;
    private long index;

    public WatchesTests() => watches = new Watches(history, 3);

    [Fact]
    public async Task Change_under_the_prefix_wakes_its_watches_alone()
    {
        Watch a = watches.TryBegin("/a"u8.ToArray())!;
        Watch longer = watches.TryBegin("/a/b"u8.ToArray())!;
        Watch other = watches.TryBegin("/c"u8.ToArray())!;
        Task aWakes = Park(a);
        Task longerWakes = Park(longer);
        Task otherWakes = Park(other);
        long position = history.Read().Head;
        Put("/x");
        Put("/a/1");
        await Eventually.EndsAsync(aWakes);
        Assert.True(a.Position > position, "the change of another prefix is passed over");
        Put("/a/b");
        await Eventually.EndsAsync(longerWakes);
        Assert.False(otherWakes.IsCompleted);
        other.Signal.Set();
        await Eventually.EndsAsync(otherWakes);
        // The watch has missed no change, and learns how far the log is.
        await Eventually.TrueAsync(() => IndexOf(other) == index);
    }

    [Fact]
    public async Task Change_between_a_look_at_the_history_and_the_wait_is_not_missed()
    {
        Watch watch = watches.TryBegin([])!;
        watch.Position = history.Read().Head;
        Put("/a");
        Watch second = watches.TryBegin([])!;
        second.Position = watch.Position;
        await Eventually.EndsAsync(watches.ParkAsync(watch).AsTask());
        await Eventually.EndsAsync(watches.ParkAsync(second).AsTask());
    }

    /// <summary>One watch has read the change by itself before the scan: the scan wakes only the other watch.</summary>
    [Fact]
    public async Task Watch_that_has_told_the_change_sleeps_on()
    {
        Watch behind = watches.TryBegin([])!;
        Watch ahead = watches.TryBegin([])!;
        Watch second = watches.TryBegin([])!;
        Task behindWakes = Park(behind);
        history.Add(ChangeKind.Put, ++index, "/a"u8, default);
        history.Publish(index);
        Task aheadWakes = Park(ahead);
        Task secondWakes = Park(second);
        watches.Wake();
        await Eventually.EndsAsync(behindWakes);
        Assert.False(aheadWakes.IsCompleted || secondWakes.IsCompleted);
        Put("/b");
        await Eventually.EndsAsync(Task.WhenAll(aheadWakes, secondWakes));
    }

    /// <summary>The client of a watch gets something at least every 15 s.</summary>
    [Fact]
    public async Task Watch_that_has_told_nothing_for_long_is_woken_without_a_change()
    {
        Watch silent = watches.TryBegin([])!;
        Watch told = watches.TryBegin([])!;
        silent.ToldAt -= 14_000;
        Task silentWakes = Park(silent);
        Task toldWakes = Park(told);
        await Eventually.EndsAsync(silentWakes);
        Assert.True(Watches.IsSilent(silent));
        Assert.False(toldWakes.IsCompleted);
        told.Signal.Set();
        await Eventually.EndsAsync(toldWakes);
    }

    [Fact]
    public async Task Replaced_state_wakes_every_watch()
    {
        Watch watch = watches.TryBegin("/a"u8.ToArray())!;
        Task wakes = Park(watch);
        history.Reset(1000);
        watches.Wake();
        await Eventually.EndsAsync(wakes);
        Assert.False(history.TryRead(watch.Position, out _, default));
    }

    [Fact]
    public void Watches_are_bounded()
    {
        Watch[] all = [.. Enumerable.Range(0, 3).Select(_ => watches.TryBegin("/a"u8.ToArray())!)];
        Assert.Null(watches.TryBegin([]));
        Assert.Equal(3, watches.Count);
        watches.End(all[1]);
        Assert.NotNull(watches.TryBegin([]));
    }

    [Fact]
    public void Loop_pays_for_a_signal_without_allocating()
    {
        _ = Park(watches.TryBegin("/a"u8.ToArray())!);
        Put("/b");
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (int i = 0; i < 10_000; i++)
                watches.Wake();
        }));
    }

    private Task Park(Watch watch)
    {
        watch.Position = history.Read().Head;
        return watches.ParkAsync(watch).AsTask();
    }

    private long IndexOf(Watch watch)
    {
        if (watch.IsParked)
            watch.Signal.Set();
        else
            _ = Park(watch);
        return watch.Index;
    }

    private void Put(string key)
    {
        history.Add(ChangeKind.Put, ++index, Encoding.ASCII.GetBytes(key), default);
        history.Publish(index);
        watches.Wake();
    }
}
