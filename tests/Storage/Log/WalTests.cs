using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Storage.Tests.Log;

public sealed class WalTests
{
    private readonly MemoryDisk disk = new();

    [Fact]
    public void New_log_is_empty()
    {
        using LogWriter log = new(disk);
        Assert.Equal(default, log.Recovery.Last);
        Assert.Equal(default, log.Recovery.HardState);
        Assert.Empty(log.Recovery.TermRuns);
        Assert.Equal(0, log.Recovery.Batches);
        Assert.Equal(1, log.Recovery.Segments);
        Assert.Null(log.Recovery.TornTail);
        Assert.False(log.Wal.TryPublish(out _));
        Assert.False(log.Wal.Writer.TryTake(out _));
        Assert.False(log.WriteSeal());
        Assert.Equal(["wal-0000000000000001.log"], disk.List());
    }

    [Fact]
    public void Synced_records_are_recovered()
    {
        using (LogWriter log = new(disk))
        {
            log.AppendHardState(1, 3);
            for (int index = 1; index <= 100; index++)
            {
                log.Append(index <= 40 ? 1 : 4, index, index * 10);
                if (index % 7 == 0)
                    log.Sync();
            }
            log.AppendHardState(5, 0);
            log.Sync();
            log.Verify();
        }
        disk.Crash();
        using LogWriter again = new(disk);
        Assert.Equal(new LogPosition(4, 100), again.Recovery.Last);
        Assert.Equal(new HardState(5, 0), again.Recovery.HardState);
        Assert.Equal([new LogPosition(1, 1), new LogPosition(4, 41)], again.Recovery.TermRuns);
        Assert.Equal(15, again.Recovery.Batches);
        Assert.Null(again.Recovery.TornTail);
        for (int index = 1; index <= 100; index++)
            Assert.Equal(LogWriter.MakeRecord(index <= 40 ? 1 : 4, index, index * 10), again.Records[index - 1]);
    }

    [Fact]
    public void Records_that_queue_during_a_sync_share_one_batch()
    {
        using LogWriter log = new(disk);
        log.Append(1, 1);
        Assert.True(log.Wal.TryPublish(out long first));
        Assert.True(log.Wal.Writer.TryTake(out WalBatch batch));
        for (int index = 2; index <= 50; index++)
        {
            log.Append(1, index);
            Assert.True(log.Wal.TryPublish(out long number));
            Assert.Equal(first + 1, number);
        }
        log.Wal.Writer.Write(batch);
        log.Wal.Completed(batch);
        int before = disk.Writes;
        Assert.Equal(1, log.Sync());
        Assert.Equal(before + 1, disk.Writes);
    }

    [Fact]
    public void Writer_gets_nothing_between_append_and_publish()
    {
        using LogWriter log = new(disk);
        log.Append(1, 1);
        log.Wal.TryPublish(out long published);
        log.Append(1, 2);
        Assert.False(log.Wal.Writer.TryTake(out _));
        Assert.False(log.Wal.Writer.TryTakeSeal(out _));
        Assert.True(log.Wal.TryPublish(out long again));
        Assert.Equal(published, again);
        Assert.True(log.Wal.Writer.TryTake(out WalBatch batch));
        Assert.Equal(2, batch.Last.Index);
        Assert.Equal(published, batch.Number);
        Assert.False(log.Wal.TryPublish(out long last));
        Assert.Equal(published, last);
    }

    [Fact]
    public void Batch_names_the_last_entry_at_its_end()
    {
        using LogWriter log = new(disk);
        log.Append(1, 1);
        log.Append(1, 2);
        log.Wal.TryPublish(out _);
        Assert.True(log.Wal.Writer.TryTake(out WalBatch first));
        log.Append(2, 2);
        log.AppendHardState(2, 0);
        log.Wal.TryPublish(out _);
        log.Wal.Writer.Write(first);
        Assert.True(log.Wal.Writer.TryTake(out WalBatch second));
        log.Wal.Writer.Write(second);
        Assert.Equal(new LogPosition(1, 2), first.Last);
        Assert.Equal(new LogPosition(2, 2), second.Last);
    }

    [Fact] // §5.3
    public void Append_at_an_earlier_index_truncates_what_follows()
    {
        using LogWriter log = new(disk);
        for (int index = 1; index <= 10; index++)
            log.Append(1, index);
        log.Sync();
        log.Append(2, 4);
        log.Append(2, 5);
        log.Append(3, 5);
        Assert.Equal(new LogPosition(3, 5), log.Wal.Last);
        log.Verify();
        log.Sync();
        log.Verify();
        using LogWriter again = new(disk);
        Assert.Equal([new LogPosition(1, 1), new LogPosition(2, 4), new LogPosition(3, 5)], again.Recovery.TermRuns);
        again.VerifySame(log);
    }

    [Fact]
    public void Entry_truncated_before_its_batch_completes_is_not_read()
    {
        using LogWriter log = new(disk);
        log.Append(1, 1);
        log.Append(1, 2, seed: 1);
        log.Wal.TryPublish(out _);
        Assert.True(log.Wal.Writer.TryTake(out WalBatch batch));
        log.Append(2, 2, seed: 2);
        log.Wal.Writer.Write(batch);
        log.Wal.Completed(batch);
        log.Sync();
        using LogWriter again = new(disk);
        again.VerifySame(log);
    }

    [Theory]
    [InlineData(0, 1)] // no such index
    [InlineData(4, 2)] // leaves a gap
    [InlineData(3, 1)] // §5.3: terms never decrease along the log
    public void Entry_that_cannot_follow_is_a_bug(long index, long term)
    {
        using LogWriter log = new(disk);
        log.Append(1, 1);
        log.Append(2, 2);
        Assert.Throws<InvariantException>(() => log.Append(term, index));
    }

    [Theory]
    [InlineData(1, 5)] // an earlier term
    [InlineData(2, 0)] // the vote taken back
    [InlineData(2, 6)] // a second vote
    public void Hard_state_that_cannot_follow_is_a_bug(long term, ulong vote) // §5.2
    {
        using LogWriter log = new(disk);
        log.AppendHardState(2, 5);
        Assert.Throws<InvariantException>(() => log.AppendHardState(term, vote));
    }

    [Fact]
    public void Largest_record_fits_the_smallest_buffer()
    {
        byte[] record = new byte[Record.LengthOf(Record.PayloadBytesMax)];
        record.AsSpan(Record.HeaderSize, Record.PayloadBytesMax).Fill(0xAB);
        Record.Finish(record, RecordType.Command, Record.PayloadBytesMax);
        using LogWriter log = new(disk);
        for (int index = 1; index <= 8; index++)
        {
            Record.Stamp(record, new LogPosition(1, index));
            log.Append([.. record]);
            log.AppendHardState(index, 0);
        }
        Assert.Equal(8, log.Sync());
        log.Wal.Release(8);
        log.Verify();
        using LogWriter again = new(disk);
        again.VerifySame(log);
    }

    [Fact]
    public void Log_continues_in_more_segments()
    {
        using LogWriter log = new(disk);
        for (int index = 1; index <= 300; index++)
        {
            log.Append(1, index, 50_000);
            log.Sync();
            log.Wal.Release(index);
            if (!log.Wal.NextSegmentIsReady && index % 2 == 0)
                Assert.True(log.Wal.TryPrepareSegment());
        }
        log.Verify();
        disk.Crash();
        using LogWriter again = new(disk);
        Assert.Equal(6, again.Recovery.Segments);
        again.VerifySame(log);
    }

    [Fact]
    public void Prepared_segment_is_no_part_of_the_log_and_serves_the_next_process_on_a_full_disk()
    {
        using (LogWriter log = new(disk))
        {
            log.Append(1, 1);
            log.Sync();
            Assert.True(log.Wal.TryPrepareSegment());
            Assert.True(log.Wal.NextSegmentIsReady);
        }
        disk.BytesFree = 0;
        using LogWriter again = new(disk);
        Assert.True(again.Wal.NextSegmentIsReady);
        Assert.Single(again.Records);
        for (int index = 2; again.Wal.HasRoom(900_000); index++)
        {
            again.Append(1, index, 900_000);
            again.Sync();
        }
        Assert.Equal(["wal-0000000000000001.log", "wal-0000000000000002.log"], disk.List());
        using LogWriter third = new(disk);
        third.VerifySame(again);
    }

    [Fact]
    public void Unfinished_next_segment_is_deleted_at_the_start()
    {
        disk.Create(WalSegment.NextName, IDisk.Alignment).Dispose();
        using LogWriter log = new(disk);
        Assert.Equal(["wal-0000000000000001.log"], disk.List());
    }

    [Fact]
    public void Seal_is_written_once()
    {
        using LogWriter log = new(disk);
        log.Append(1, 1);
        log.Sync();
        Assert.True(log.WriteSeal());
        Assert.False(log.WriteSeal());
        using LogWriter again = new(disk);
        Assert.False(again.WriteSeal());
        again.Append(1, 2);
        Assert.False(again.WriteSeal());
        again.Sync();
        Assert.True(again.WriteSeal());
        again.Verify();
    }

    [Fact]
    public void Failed_write_is_thrown()
    {
        using LogWriter log = new(disk);
        log.Append(1, 1);
        disk.FailingWrite = disk.Writes + 1;
        Assert.Throws<StorageException>(() => log.Sync());
    }

    [Fact]
    public void Next_batch_is_not_taken_before_the_last_batch_is_written()
    {
        using LogWriter log = new(disk);
        log.Append(1, 1);
        log.Wal.TryPublish(out _);
        Assert.True(log.Wal.Writer.TryTake(out _));
        log.Append(1, 2);
        log.Wal.TryPublish(out _);
        Assert.Throws<InvariantException>(() => log.Wal.Writer.TryTake(out _));
    }
}
