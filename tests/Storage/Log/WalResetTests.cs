using RaftFast.Protocol;
using RaftFast.Storage.Log;

namespace RaftFast.Storage.Tests.Log;

/// <summary>
/// Resets (§7): a log without an entry that matches a snapshot's last entry is emptied and continues after the
/// snapshot.
/// </summary>
public sealed class WalResetTests
{
    private static readonly LogPosition Snapshot = new(5, 40);

    private MemoryDisk disk = new();

    [Theory]
    [InlineData(10)] // ends before the snapshot
    [InlineData(60)] // conflicts with it
    public void Log_is_emptied_and_continues_after_the_snapshot(int entries)
    {
        using LogWriter log = Filled(entries);
        log.ResetTo(Snapshot);
        Assert.Equal(41, log.Wal.FirstIndex);
        Assert.Equal(Snapshot, log.Wal.Last);
        log.Append(5, 41);
        log.Sync();
        log.Verify();
        using LogWriter again = new(disk, LogWriter.Tiny, Snapshot);
        Assert.False(again.Recovery.WasReset);
        Assert.Equal(Snapshot, again.Recovery.Base);
        Assert.Equal([new LogPosition(5, 41)], again.Recovery.TermRuns);
        again.VerifySame(log);
    }

    [Fact]
    public void Term_and_vote_survive()
    {
        using (LogWriter log = Filled(10))
        {
            log.AppendHardState(7, 3);
            log.ResetTo(Snapshot);
            log.Sync();
        }
        using LogWriter again = new(disk, LogWriter.Tiny, Snapshot);
        Assert.Equal(new HardState(7, 3), again.Recovery.HardState);
        Assert.Equal(Snapshot, again.Recovery.Last);
        Assert.Empty(again.Recovery.TermRuns);
    }

    [Fact]
    public void Terms_of_emptied_entries_survive()
    {
        using (LogWriter log = new(disk, LogWriter.Tiny))
        {
            log.AppendHardState(1, 2);
            log.Append(9, 1);
            log.Sync();
            log.ResetTo(Snapshot);
            log.Sync();
        }
        using LogWriter again = new(disk, LogWriter.Tiny, Snapshot);
        Assert.Equal(new HardState(9, 0), again.Recovery.HardState);
    }

    [Fact]
    public void Term_of_the_snapshot_counts_as_seen()
    {
        Filled(3).Dispose();
        using LogWriter log = new(disk, LogWriter.Tiny, Snapshot);
        Assert.True(log.Recovery.WasReset);
        Assert.Equal(new HardState(5, 0), log.Recovery.HardState);
    }

    [Fact]
    public void Older_segments_are_no_part_of_the_log_once_the_reset_is_durable()
    {
        using LogWriter log = Filled(30);
        log.ResetTo(Snapshot);
        log.Sync();
        // Neither damage in older segments nor a missing one matters.
        disk[WalSegment.Name(2)].AsSpan().Clear();
        disk.Delete(WalSegment.Name(1));
        log.Append(6, 41);
        log.Sync();
        using LogWriter again = new(disk, LogWriter.Tiny, Snapshot);
        again.VerifySame(log);
    }

    [Fact]
    public void Older_segments_are_reused()
    {
        using LogWriter log = Filled(30);
        log.ResetTo(Snapshot);
        Assert.True(log.Wal.TryPrepareSegment());
        log.Sync();
        int before = disk.List().Count;
        for (int index = 41; index < 100; index++)
        {
            log.Append(6, index, 3000);
            log.Sync();
            log.Wal.Release(index);
            if (!log.Wal.NextSegmentIsReady)
                Assert.True(log.Wal.TryPrepareSegment());
            if (index % 10 == 0)
                log.CompactTo(index);
        }
        Assert.True(disk.List().Count <= before);
        Assert.Equal(disk.List().Sum(name => (long)disk[name].Length), log.Wal.BytesOnDisk);
        log.Verify();
        log.Dispose();
        using LogWriter again = new(disk, LogWriter.Tiny, new LogPosition(6, 90));
        again.Verify();
        Assert.Equal(new LogPosition(6, 99), again.Recovery.Last);
    }

    [Fact]
    public void Older_segments_are_reused_once_the_reset_is_durable_and_not_before()
    {
        using LogWriter log = Filled(30);
        log.ResetTo(Snapshot);
        Assert.True(log.Wal.TryPrepareSegment());
        Assert.False(log.Wal.HasSegmentsToDelete);
        Assert.True(disk.Exists(WalSegment.Name(1)));
        log.Sync();
        int files = disk.List().Count;
        for (long index = Snapshot.Index + 1; log.Wal.NextSegmentIsReady; index++)
        {
            Assert.True(disk.Exists(WalSegment.Name(1)));
            log.Append(6, index, 3000);
            log.Sync();
            log.Wal.Release(index);
        }
        Assert.True(log.Wal.TryPrepareSegment());
        Assert.False(disk.Exists(WalSegment.Name(1)));
        Assert.Equal(files, disk.List().Count);
    }

    [Fact]
    public void Entries_appended_together_with_the_reset_follow_it()
    {
        using LogWriter log = Filled(10);
        log.Append(1, 11);
        long batch = log.ResetTo(Snapshot);
        log.Append(6, 41);
        log.Append(6, 42);
        Assert.True(log.Wal.TryPublish(out long published));
        Assert.Equal(batch, published);
        Assert.True(log.Wal.Writer.TryTake(out WalBatch before));
        Assert.Equal(batch - 1, before.Number);
        Assert.Equal(new LogPosition(1, 11), before.Last);
        log.Wal.Writer.Write(before);
        log.Wal.Completed(before);
        log.Sync();
        log.Verify();
        using LogWriter again = new(disk, LogWriter.Tiny, Snapshot);
        again.VerifySame(log);
    }

    [Fact]
    public void Completion_of_an_emptied_batch_places_nothing()
    {
        using LogWriter log = Filled(10);
        log.Append(1, 11, 3000);
        log.Wal.TryPublish(out _);
        Assert.True(log.Wal.Writer.TryTake(out WalBatch batch));
        long first = log.ResetTo(Snapshot);
        Assert.True(batch.Number < first);
        log.Append(6, 41, 3000);
        log.Wal.Writer.Write(batch);
        log.Wal.Completed(batch);
        log.Sync();
        for (int index = 42; index < 60; index++)
        {
            log.Append(6, index, 3000);
            log.Sync();
        }
        log.Wal.Release(59);
        log.Verify();
    }

    [Fact]
    public void Reset_follows_another_once_that_is_written()
    {
        using LogWriter log = Filled(10);
        log.ResetTo(new LogPosition(4, 30));
        Assert.False(log.TryResetTo(Snapshot, out _));
        log.Sync();
        log.ResetTo(Snapshot);
        log.Append(6, 41);
        log.Sync();
        log.Verify();
        using LogWriter again = new(disk, LogWriter.Tiny, Snapshot);
        again.VerifySame(log);
    }

    [Fact]
    public void Reset_to_an_entry_that_the_log_holds_is_a_bug()
    {
        using LogWriter log = Filled(10);
        Assert.Throws<InvariantException>(() => log.Wal.TryResetTo(new LogPosition(1, 7), out _));
    }

    [Fact]
    public void Log_that_holds_the_snapshots_last_entry_keeps_later_entries()
    {
        Filled(10).Dispose();
        using LogWriter log = new(disk, LogWriter.Tiny, new LogPosition(1, 7));
        Assert.False(log.Recovery.WasReset);
        Assert.Equal(10, log.Wal.Last.Index);
        Assert.Equal(10, log.Records.Count);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(60)]
    public void Log_that_does_not_match_the_snapshot_is_emptied_when_it_is_opened(int entries)
    {
        Filled(entries).Dispose();
        for (int start = 0; start < 3; start++)
        {
            using LogWriter log = new(disk, LogWriter.Tiny, Snapshot);
            Assert.Equal(start == 0, log.Recovery.WasReset);
            Assert.Equal(41 + start, log.Wal.Last.Index + 1);
            log.Append(5, 41 + start);
            log.Sync();
            log.Verify();
            while (log.Wal.HasSegmentsToDelete)
                Assert.True(log.Wal.TryPrepareSegment());
        }
    }

    [Fact]
    public void Reset_waits_while_a_full_disk_may_have_no_segment_for_it()
    {
        for (int queued = 0; queued < 8; queued++)
        {
            disk = new MemoryDisk();
            using LogWriter log = Filled(3);
            Assert.True(log.Wal.TryPrepareSegment());
            disk.BytesFree = 0;
            for (int index = 4; index < 4 + queued; index++)
                log.Append(1, index, 3000);
            // The current segment has room for four more batches of a block.
            Assert.Equal(queued <= 4, log.TryResetTo(Snapshot, out _));
            log.Sync();
            log.Verify();
            Assert.False(queued > 4 && log.TryResetTo(Snapshot, out _));
            disk.BytesFree = 1 << 20;
            Assert.True(queued <= 4 || log.TryResetTo(Snapshot, out _));
            log.Sync();
            log.Verify();
        }
    }

    [Fact]
    public void Queued_reset_leaves_room_in_its_own_segment_only()
    {
        using LogWriter log = Filled(8);
        Assert.True(log.Wal.HasRoom(100));
        log.ResetTo(Snapshot);
        Assert.True(log.Wal.HasRoom(100));
        disk.BytesFree = 0;
        for (int index = 41; log.Wal.HasRoom(3100); index++)
            log.Append(5, index, 3000);
        log.Sync();
        log.Verify();
    }

    [Fact]
    public void Death_at_any_moment_of_a_reset_leaves_the_old_log_or_the_new()
    {
        foreach (int entries in new[] { 20, 50 })
        {
            int acknowledged = 0;
            bool isInstalled = false;
            HardState state = default;
            int deaths = EveryDeath.Of(
                dying =>
                {
                    (acknowledged, isInstalled, state) = (0, false, default);
                    using LogWriter log = new(dying, LogWriter.Tiny);
                    log.AppendHardState(4, 2);
                    for (int index = 1; index <= entries; index++)
                    {
                        log.Append(4, index, 3000);
                        if (index % 10 == 0)
                            log.Sync();
                    }
                    (acknowledged, state) = (entries, log.State);
                    log.Append(4, entries + 1, 3000);
                    log.AppendHardState(6, 1);
                    isInstalled = true;
                    log.ResetTo(Snapshot);
                    log.Append(6, 41, 3000);
                    log.Sync();
                    (acknowledged, state) = (41, log.State);
                    for (int index = 42; index < 48; index++)
                    {
                        log.Wal.TryPrepareSegment();
                        log.Append(6, index, 3000);
                        log.Sync();
                        acknowledged = index;
                    }
                },
                left =>
                {
                    for (int start = 0; start < 3; start++)
                    {
                        using LogWriter log = new(left, LogWriter.Tiny, isInstalled ? Snapshot : default);
                        Assert.Equal(isInstalled ? Snapshot : default, log.Recovery.Base);
                        if (state.Term >= 6 || !isInstalled)
                            Assert.True(log.Wal.Last.Index >= acknowledged);
                        Assert.True(HardStateOrder.MayFollow(state, log.Recovery.HardState));
                        log.Verify();
                        log.Append(Math.Max(7, log.Recovery.Last.Term), log.Wal.Last.Index + 1, 3000);
                        log.Sync();
                        acknowledged = isInstalled ? (int)log.Wal.Last.Index : 0;
                        state = state.Term < 6 ? new HardState(6, 0) : state;
                        while (log.Wal.HasSegmentsToDelete)
                            Assert.True(log.Wal.TryPrepareSegment());
                    }
                });
            Assert.True(deaths > 50, $"{deaths} deaths");
        }
    }

    private LogWriter Filled(int entries)
    {
        LogWriter log = new(disk, LogWriter.Tiny);
        for (int index = 1; index <= entries; index++)
        {
            log.Append(1, index, 3000);
            log.Sync();
        }
        return log;
    }
}
