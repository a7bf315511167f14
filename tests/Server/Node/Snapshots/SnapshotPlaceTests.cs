using RaftFast.Server.Node.Snapshots;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Tests.Node.Snapshots;

public sealed class SnapshotPlaceTests
{
    private const long Silence = 1000;

    private readonly SnapshotPlace place = new(Silence, now: 0);

    [Fact]
    public void Place_is_free_while_no_part_is_on_the_disk() =>
        Assert.True(place.MayEnter(2, PartialSnapshotMatch.None, now: 0));

    [Fact]
    public void Part_that_an_earlier_process_received_waits_for_its_sender()
    {
        Assert.True(place.MayEnter(2, PartialSnapshotMatch.Same, now: 0));
        Assert.False(place.MayEnter(3, PartialSnapshotMatch.Other, now: Silence - 1));
        Assert.True(place.MayEnter(3, PartialSnapshotMatch.Other, now: Silence));
    }

    [Theory]
    [InlineData(PartialSnapshotMatch.Same)]
    [InlineData(PartialSnapshotMatch.Other)]
    public void Progress_keeps_the_place(PartialSnapshotMatch partial)
    {
        place.Enter(2, now: 0);
        for (long now = 0; now < 10 * Silence; now += Silence / 2)
        {
            place.Progress(now);
            Assert.False(place.MayEnter(3, partial, now + Silence - 1));
        }
        Assert.True(place.MayEnter(3, partial, now: 20 * Silence));
    }

    [Fact]
    public void Same_sender_may_always_dial_again()
    {
        place.Enter(2, now: 0);
        Assert.True(place.MayEnter(2, PartialSnapshotMatch.Other, now: 0));
        place.Complete();
        Assert.True(place.MayEnter(2, PartialSnapshotMatch.Same, now: 0));
    }

    [Fact]
    public void Complete_snapshot_keeps_the_place_until_it_is_decided_on()
    {
        place.Enter(2, now: 0);
        place.Complete();
        Assert.False(place.MayEnter(3, PartialSnapshotMatch.None, now: 100 * Silence));
        place.Leave(now: 100 * Silence);
        Assert.True(place.MayEnter(3, PartialSnapshotMatch.None, now: 100 * Silence));
    }

    [Fact]
    public void Files_are_one_connection_s_until_its_work_has_ended()
    {
        place.Enter(2, now: 0);
        Assert.True(place.TryTakeFiles());
        place.Enter(2, now: 0);
        Assert.False(place.TryTakeFiles());
        place.Leave(now: 0);
        // The last write of the first connection returns late.
        place.Complete();
        place.ReturnFiles();
        Assert.True(place.MayEnter(3, PartialSnapshotMatch.Other, now: Silence));
        Assert.True(place.TryTakeFiles());
    }

    [Fact]
    public void Sender_whose_connection_broke_has_time_to_dial_again()
    {
        place.Enter(2, now: 0);
        place.Leave(now: 500);
        Assert.False(place.MayEnter(3, PartialSnapshotMatch.Other, now: 500 + Silence - 1));
        Assert.True(place.MayEnter(3, PartialSnapshotMatch.Other, now: 500 + Silence));
    }
}
