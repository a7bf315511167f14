using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Storage.Tests.Log;

public sealed class WalCompactionTests
{
    private const int ValueBytes = 3000;

    private readonly MemoryDisk disk = new();

    [Fact]
    public void Whole_segments_up_to_the_index_go_and_later_entries_stay()
    {
        using LogWriter log = Filled(30);
        log.CompactTo(20);
        // Seven entries a segment: the third begins after entry 14.
        Assert.Equal(15, log.Wal.FirstIndex);
        log.Verify();
        Assert.True(log.Wal.TryPrepareSegment());
        Assert.False(disk.Exists(WalSegment.Name(1)));
        Assert.True(disk.Exists(WalSegment.Name(3)));
        log.Verify();
        log.Dispose();
        using LogWriter again = new(disk, LogWriter.Tiny, new LogPosition(1, 20));
        Assert.Equal(new LogPosition(1, 30), again.Recovery.Last);
        Assert.False(again.Recovery.WasReset);
        Assert.True(again.Recovery.Base.Index <= 14);
        again.Verify();
    }

    [Fact]
    public void Last_segment_stays()
    {
        using LogWriter log = Filled(5);
        log.CompactTo(5);
        Assert.Equal(1, log.Wal.FirstIndex);
        log.Verify();
    }

    [Fact]
    public void Reading_below_the_first_entry_is_a_bug()
    {
        using LogWriter log = Filled(30);
        log.CompactTo(20);
        Assert.Throws<InvariantException>(() => log.Wal.Read(14, 30, 1, out _).Length);
        Assert.True(log.Wal.Read(15, 30, 1, out _).Length > 0);
    }

    [Fact]
    public void Appending_at_or_below_the_base_is_a_bug()
    {
        using LogWriter log = Filled(30);
        log.CompactTo(20);
        byte[] record = LogWriter.MakeRecord(2, 14, 10);
        Record.TryReadHeader(record, out RecordHeader header);
        Assert.Throws<InvariantException>(() => log.Wal.Append(record, header));
    }

    [Fact]
    public void Term_and_vote_outlive_the_segment_they_are_in()
    {
        using (LogWriter log = new(disk, LogWriter.Tiny))
        {
            log.AppendHardState(3, 2);
            Append(log, 3, 30);
            log.CompactTo(30);
            Prepare(log);
        }
        using LogWriter again = new(disk, LogWriter.Tiny, new LogPosition(3, 30));
        Assert.True(again.Recovery.Base.Index > 0);
        Assert.Equal(new HardState(3, 2), again.Recovery.HardState);
    }

    [Fact]
    public void Terms_begin_after_the_base()
    {
        using (LogWriter log = new(disk, LogWriter.Tiny))
        {
            Append(log, 1, 10);
            Append(log, 2, 10);
            Append(log, 5, 20);
            log.CompactTo(17);
            Assert.Equal(15, log.Wal.FirstIndex);
            Prepare(log);
            Prepare(log);
        }
        using LogWriter again = new(disk, LogWriter.Tiny, new LogPosition(2, 17));
        Assert.Equal(new LogPosition(1, 7), again.Recovery.Base);
        Assert.Equal([new LogPosition(1, 8), new LogPosition(2, 11), new LogPosition(5, 21)], again.Recovery.TermRuns);
    }

    [Fact]
    public void Entries_before_the_snapshot_stay_for_slow_followers()
    {
        using LogWriter log = Filled(30);
        log.CompactTo(10);
        Assert.Equal(8, log.Wal.FirstIndex);
        log.Dispose();
        using LogWriter again = new(disk, LogWriter.Tiny, new LogPosition(1, 25));
        Assert.True(again.Wal.FirstIndex <= 8);
        again.Verify();
    }

    // §5.3: the last entry before a segment may be truncated later. The log can't begin with that segment while another
    // entry stands at that index.
    [Fact]
    public void Segment_that_began_after_a_truncated_entry_is_not_the_first()
    {
        using LogWriter log = new(disk, LogWriter.Tiny);
        for (int index = 1; index <= 7 + 3; index++)
        {
            log.Append(1, index, ValueBytes);
            log.Sync();
        }
        // In the second segment: entries 5 to 10 are replaced.
        log.Append(2, 5, ValueBytes);
        log.Sync();
        for (int index = 6; index <= 30; index++)
        {
            log.Append(2, index, ValueBytes);
            log.Sync();
        }
        log.Wal.Release(30);
        log.CompactTo(7);
        Assert.Equal(1, log.Wal.FirstIndex);
        log.CompactTo(20);
        Assert.True(log.Wal.FirstIndex > 5);
        log.Verify();
        Prepare(log);
        log.Dispose();
        using LogWriter again = new(disk, LogWriter.Tiny, new LogPosition(2, 20));
        again.Verify();
        Assert.Equal(new LogPosition(2, 30), again.Recovery.Last);
    }

    [Fact]
    public void Entry_that_was_replaced_and_appended_again_is_the_base_when_its_first_copy_is_gone()
    {
        using LogWriter log = new(disk, LogWriter.Tiny);
        Append(log, 1, 6);
        log.Append(2, 7, ValueBytes);
        log.Sync();
        // The second segment begins after (2, 7). That entry is replaced, then appended again.
        log.Append(3, 7, ValueBytes);
        log.Sync();
        log.Append(2, 7, ValueBytes);
        log.Sync();
        for (int index = 8; index <= 12; index++)
        {
            log.Append(2, index, ValueBytes);
            log.Sync();
        }
        log.Wal.Release(12);
        log.CompactTo(7);
        Assert.Equal(8, log.Wal.FirstIndex);
        log.Verify();
        Prepare(log);
        log.Dispose();
        Assert.False(disk.Exists(WalSegment.Name(1)));
        using LogWriter again = new(disk, LogWriter.Tiny, new LogPosition(2, 7));
        Assert.Equal(new LogPosition(2, 7), again.Recovery.Base);
        again.VerifySame(log);
    }

    [Fact]
    public void Log_that_begins_after_the_snapshot_is_refused()
    {
        using (LogWriter log = Filled(30))
        {
            log.CompactTo(30);
            Prepare(log);
        }
        foreach (LogPosition snapshot in new[] { default, new LogPosition(1, 3) })
        {
            string message = Assert.Throws<StorageException>(
                () => new LogWriter(disk, LogWriter.Tiny, snapshot)).Message;
            Assert.Contains("begins after entry", message, StringComparison.Ordinal);
            string found = snapshot == default ? "there is no snapshot" : "the snapshot ends with entry 3";
            Assert.Contains(found, message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', message);
        }
    }

    [Fact]
    public void Snapshot_without_a_log_is_refused() // Term and vote would be lost.
    {
        string message = Assert.Throws<StorageException>(
            () => new LogWriter(disk, LogWriter.Tiny, new LogPosition(1, 3))).Message;
        Assert.Contains(
            "wal-0000000000000001.log is missing, and a snapshot up to entry 3 is there", message,
            StringComparison.Ordinal);
        Assert.Empty(disk.List());
    }

    [Fact]
    public void Missing_segment_after_the_first_is_refused()
    {
        using (LogWriter log = Filled(30))
            log.CompactTo(10);
        disk.Delete(WalSegment.Name(3));
        string message = Assert.Throws<StorageException>(
            () => new LogWriter(disk, LogWriter.Tiny, new LogPosition(1, 10))).Message;
        Assert.Contains(
            $"{WalSegment.Name(3)} is missing, and {WalSegment.Name(4)} is there", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Endless_overwriting_takes_bounded_space()
    {
        using LogWriter log = new(disk, LogWriter.Tiny);
        HashSet<int> counts = [];
        for (int index = 1; index <= 2000; index++)
        {
            log.Append(1, index, ValueBytes);
            log.Sync();
            log.Wal.Release(index);
            if (index % 10 == 0)
                log.CompactTo(index - 5);
            if (!log.Wal.NextSegmentIsReady || log.Wal.HasSegmentsToDelete)
                Assert.True(log.Wal.TryPrepareSegment());
            // At most 15 entries are needed, in three segments; there are also spare segments and the next one.
            Assert.InRange(disk.List().Count, 1, 6);
            Assert.Equal(disk.List().Sum(name => (long)disk[name].Length), log.Wal.BytesOnDisk);
        }
        log.Verify();
    }

    [Fact]
    public void Segments_freed_by_a_compaction_are_kept_up_to_a_bound_and_deleted_when_the_disk_is_short()
    {
        const int KeptMax = 32;
        const int Spares = 1;
        using LogWriter log = new(disk, LogWriter.Tiny);
        for (long index = 1; index <= 400; index++)
        {
            log.Append(1, index, 3000);
            log.Sync();
            log.Wal.Release(index);
            if (!log.Wal.NextSegmentIsReady)
                Assert.True(log.Wal.TryPrepareSegment());
        }
        log.CompactTo(395);
        Assert.True(log.Wal.HasSegmentsToDelete);
        Assert.True(log.Wal.TryPrepareSegment());
        Assert.False(log.Wal.HasSegmentsToDelete);
        Assert.Equal(log.Wal.NeededBytesOnDisk + (KeptMax + Spares) * LogWriter.Tiny.SegmentBytes, log.Wal.BytesOnDisk);
        log.Wal.GiveUpKeptSegments();
        Assert.True(log.Wal.TryPrepareSegment());
        Assert.Equal(log.Wal.NeededBytesOnDisk + Spares * LogWriter.Tiny.SegmentBytes, log.Wal.BytesOnDisk);
        log.Verify();
    }

    [Fact]
    public void Log_that_is_compacted_at_intervals_makes_no_new_files()
    {
        using LogWriter log = new(disk, LogWriter.Tiny);
        long index = 0;
        for (int round = 0; round < 5; round++)
        {
            for (int i = 0; i < 60; i++)
            {
                log.Append(1, ++index, 3000);
                log.Sync();
                log.Wal.Release(index);
                if (!log.Wal.NextSegmentIsReady)
                    Assert.True(log.Wal.TryPrepareSegment());
            }
            long before = log.Wal.BytesOnDisk;
            log.CompactTo(index - 5);
            Assert.True(log.Wal.TryPrepareSegment());
            Assert.Equal(before, log.Wal.BytesOnDisk);
        }
    }

    [Fact]
    public void Compaction_makes_room_on_a_full_disk()
    {
        using LogWriter log = new(disk, LogWriter.Tiny);
        for (int index = 1; index <= 20; index++)
        {
            log.Append(1, index, ValueBytes);
            log.Sync();
        }
        log.Wal.Release(20);
        disk.BytesFree = 0;
        Assert.False(log.Wal.TryPrepareSegment());
        log.CompactTo(20);
        Assert.True(log.Wal.TryPrepareSegment());
        Assert.False(log.Wal.DiskIsFull);
        Append(log, 1, 10);
        log.Verify();
    }

    [Fact]
    public void Segments_of_another_size_are_deleted_not_recycled()
    {
        Filled(30).Dispose();
        using LogWriter log = new(disk, LogWriter.Tiny with { SegmentBytes = 64 << 10 });
        Append(log, 1, 30);
        log.CompactTo(log.Wal.Last.Index);
        Assert.True(log.Wal.TryPrepareSegment());
        Assert.Equal(64 << 10, disk[WalSegment.NextName].Length);
        Assert.Equal(disk.List().Sum(name => (long)disk[name].Length), log.Wal.BytesOnDisk);
        log.Verify();
    }

    [Fact]
    public void Segment_stays_until_the_batch_after_it_is_complete()
    {
        using LogWriter log = Filled(14);
        log.Append(1, 15, ValueBytes);
        log.Wal.TryPublish(out _);
        Assert.True(log.Wal.Writer.TryTake(out WalBatch batch));
        log.Wal.Writer.Write(batch);
        log.CompactTo(14);
        Assert.Equal(8, log.Wal.FirstIndex);
        log.Wal.Completed(batch);
        log.CompactTo(14);
        Assert.Equal(15, log.Wal.FirstIndex);
        log.Verify();
    }

    [Fact]
    public void Death_at_any_moment_of_compaction_loses_nothing()
    {
        const int last = 40;
        int acknowledged = 0;
        LogPosition snapshot = default;
        int deaths = EveryDeath.Of(
            dying =>
            {
                (acknowledged, snapshot) = (0, default);
                using LogWriter log = new(dying, LogWriter.Tiny);
                for (int index = 1; index <= last; index++)
                {
                    log.AppendHardState(index, 1);
                    log.Append(index, index, ValueBytes);
                    log.Sync();
                    acknowledged = index;
                    log.Wal.Release(index);
                    if (index % 9 == 0)
                    {
                        snapshot = new LogPosition(index - 2, index - 2);
                        log.CompactTo(index - 2);
                    }
                    if (index % 2 == 0 && (!log.Wal.NextSegmentIsReady || log.Wal.HasSegmentsToDelete))
                        log.Wal.TryPrepareSegment();
                }
            },
            left =>
            {
                using (LogWriter log = new(left, LogWriter.Tiny, snapshot))
                {
                    Assert.False(log.Recovery.WasReset);
                    Assert.InRange(log.Recovery.Last.Index, acknowledged, acknowledged + 1);
                    long lastIndex = log.Recovery.Last.Index;
                    Assert.Equal(new HardState(lastIndex, lastIndex == 0 ? 0ul : 1), log.Recovery.HardState);
                    VerifyContent(log, index => index);
                    long next = log.Recovery.Last.Index + 1;
                    for (long index = next; index < next + 10; index++)
                    {
                        log.Append(index, index, ValueBytes);
                        log.Sync();
                    }
                    log.Wal.Release(next + 9);
                    log.CompactTo(snapshot.Index);
                    log.Wal.TryPrepareSegment();
                }
                using LogWriter again = new(left, LogWriter.Tiny, snapshot);
                Assert.True(again.Recovery.Last.Index >= acknowledged + 10);
                VerifyContent(again, index => index);
            });
        Assert.True(deaths > 500, $"{deaths} deaths");
    }

    private static void VerifyContent(LogWriter log, Func<long, long> termAt)
    {
        log.Verify();
        for (int i = 0; i < log.Records.Count; i++)
        {
            long index = log.Base.Index + 1 + i;
            Assert.Equal(LogWriter.MakeRecord(termAt(index), index, ValueBytes), log.Records[i]);
        }
    }

    /// <summary>Appends durable and applied entries, one a batch.</summary>
    private static void Append(LogWriter log, long term, int count)
    {
        for (int i = 0; i < count; i++)
        {
            log.Append(term, log.Wal.Last.Index + 1, ValueBytes);
            log.Sync();
        }
        log.Wal.Release(log.Wal.Last.Index);
    }

    /// <summary>Reuses one unneeded segment as the next segment, and keeps one as a spare.</summary>
    private static void Prepare(LogWriter log) => Assert.True(log.Wal.TryPrepareSegment());

    private LogWriter Filled(int entries)
    {
        LogWriter log = new(disk, LogWriter.Tiny);
        Append(log, 1, entries);
        return log;
    }
}
