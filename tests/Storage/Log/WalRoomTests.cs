using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Storage.Tests.Log;

public sealed class WalRoomTests
{
    private readonly MemoryDisk disk = new();

    [Theory]
    [InlineData(100)]
    [InlineData(5_000)]
    [InlineData(700_000)]
    public void Admitted_records_fit_when_the_disk_is_full(int valueBytes)
    {
        for (int prepared = 0; prepared <= 1; prepared++)
        {
            MemoryDisk full = new();
            using LogWriter log = new(full);
            if (prepared == 1)
                Assert.True(log.Wal.TryPrepareSegment());
            full.BytesFree = 0;
            long bytes = LogWriter.MakeRecord(1, 1, valueBytes).Length;
            int admitted = 0;
            while (log.Wal.HasRoom(bytes))
            {
                log.Append(1, ++admitted, valueBytes);
                log.Sync();
            }
            Assert.True(admitted > 0);
            // The reserve is untouched.
            for (int term = 2; term < 2 + new WalOptions().ReserveBytes / IDisk.Alignment; term++)
            {
                log.AppendHardState(term, 1);
                log.Sync();
            }
            log.Verify();
        }
    }

    [Fact]
    public void Batch_waits_while_the_directory_has_no_room_for_the_name_of_its_segment()
    {
        using (LogWriter log = new(disk, LogWriter.Tiny))
        {
            log.Wal.TryPrepareSegment();
            disk.NamesAreFull = true;
            int index = 0;
            bool isWritten = true;
            while (isWritten)
            {
                log.Append(1, ++index);
                log.Wal.TryPublish(out _);
                Assert.True(log.Wal.Writer.TryTake(out WalBatch batch));
                isWritten = log.Wal.Writer.TryOpen(batch);
                if (!isWritten)
                {
                    Assert.False(log.Wal.Writer.TryOpen(batch));
                    disk.NamesAreFull = false;
                    Assert.True(log.Wal.Writer.TryOpen(batch));
                }
                log.Wal.Writer.Write(batch);
                log.Wal.Completed(batch);
            }
            log.Verify();
        }
        using LogWriter restarted = new(disk, LogWriter.Tiny);
        Assert.Equal(1, restarted.Wal.FirstIndex);
        Assert.Equal(8, restarted.Recovery.Last.Index);
    }

    [Fact]
    public void Queued_records_count()
    {
        using LogWriter log = new(disk);
        disk.BytesFree = 0;
        Assert.False(log.Wal.TryPrepareSegment());
        Assert.True(log.Wal.DiskIsFull);
        const int value = 100_000;
        long bytes = LogWriter.MakeRecord(1, 1, value).Length;
        int admitted = 0;
        while (log.Wal.HasRoom(bytes))
            log.Append(1, ++admitted, value);
        Assert.True(admitted > 0);
        log.Sync();
        log.Verify();
        log.AppendHardState(1, 1);
        log.Sync();
    }

    [Fact]
    public void Several_records_admitted_together_fit()
    {
        using LogWriter log = new(disk);
        disk.BytesFree = 0;
        const int value = 30_000;
        long bytes = LogWriter.MakeRecord(1, 1, value).Length;
        int index = 0;
        for (int together = 60; together > 0;)
        {
            if (!log.Wal.HasRoom(together * bytes))
            {
                together /= 2;
                continue;
            }
            for (int i = 0; i < together; i++)
                log.Append(1, ++index, value);
            log.Sync();
        }
        log.Verify();
    }

    [Fact]
    public void Needed_records_may_use_half_of_the_reserve()
    {
        using LogWriter log = new(disk);
        disk.BytesFree = 0;
        int index = 0;
        while (log.Wal.HasRoom(1_000))
        {
            log.Append(1, ++index, 900);
            log.Sync();
        }
        long bytes = LogWriter.MakeRecord(1, 1, 40).Length;
        int needed = 0;
        for (; log.Wal.HasRoomInReserve(bytes); needed++)
        {
            log.Append(1, ++index, 40);
            log.Sync();
        }
        int blocks = new WalOptions().ReserveBytes / 2 / IDisk.Alignment;
        Assert.InRange(needed, blocks - 4, blocks);
        Assert.False(log.Wal.HasRoom(0));
        for (int term = 2; term < 2 + blocks; term++)
        {
            log.AppendHardState(term, 1);
            log.Sync();
        }
        log.Verify();
    }

    [Fact]
    public void Room_comes_back_with_space()
    {
        using LogWriter log = new(disk);
        disk.BytesFree = 0;
        int index = 0;
        while (log.Wal.HasRoom(100_000))
        {
            log.Append(1, ++index, 90_000);
            log.Sync();
        }
        Assert.False(log.Wal.TryPrepareSegment());
        disk.BytesFree = LogWriter.Small.SegmentBytes;
        Assert.True(log.Wal.TryPrepareSegment());
        Assert.False(log.Wal.DiskIsFull);
        Assert.True(log.Wal.NextSegmentIsReady);
        Assert.True(log.Wal.HasRoom(100_000));
    }

    [Fact]
    public void Segment_counts_once_while_the_log_moves_into_it()
    {
        using LogWriter log = new(disk);
        Assert.True(log.Wal.TryPrepareSegment());
        disk.BytesFree = 0;
        for (int index = 1; index <= 3; index++)
        {
            log.Append(1, index, 800_000);
            log.Sync();
        }
        log.Append(1, 4, 800_000);
        log.Wal.TryPublish(out _);
        Assert.True(log.Wal.Writer.TryTake(out WalBatch batch));
        long segment = LogWriter.Small.SegmentBytes;
        Assert.True(log.Wal.HasRoom(100_000));
        Assert.False(log.Wal.HasRoom(segment - batch.Bytes - new WalOptions().ReserveBytes));
        log.Wal.Writer.Write(batch);
        log.Wal.Completed(batch);
        Assert.False(log.Wal.NextSegmentIsReady);
    }

    [Fact]
    public void Append_without_room_stops_the_log()
    {
        using LogWriter log = new(disk);
        disk.BytesFree = 0;
        StorageException full = Assert.Throws<StorageException>(() => Fill(log));
        Assert.Contains("no room", full.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Seal_is_omitted_when_it_needs_a_segment_that_is_not_prepared()
    {
        using LogWriter log = new(disk);
        disk.BytesFree = 0;
        for (int term = 1; term < LogWriter.Small.SegmentBytes / IDisk.Alignment; term++)
        {
            log.AppendHardState(term, 0);
            log.Sync();
        }
        Assert.False(log.WriteSeal());
        disk.BytesFree = long.MaxValue;
        Assert.True(log.Wal.TryPrepareSegment());
        Assert.True(log.WriteSeal());
    }

    private static void Fill(LogWriter log)
    {
        for (int index = 1; index < 1000; index++)
        {
            log.Append(1, index, 900_000);
            log.Sync();
        }
    }
}
