using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Storage.Tests.Log;

public sealed class WalMemoryTests
{
    [Fact]
    public void Steady_state_allocates_nothing()
    {
        using LogWriter log = new(new MemoryDisk(), LogWriter.Small with { SegmentBytes = 64 << 20 });
        Assert.True(log.Wal.TryPrepareSegment());
        byte[] record = LogWriter.MakeRecord(1, 1, 200);
        Run(log.Wal, record, 20_000);
        Assert.Equal(0, Allocations.Of(() => Run(log.Wal, record, 20_000)));
    }

    [Fact]
    public void Memory_is_reused_once_durable_and_applied_and_the_log_is_read_from_disk()
    {
        MemoryDisk disk = new();
        using LogWriter log = new(disk);
        for (int index = 1; index <= 60; index++)
        {
            log.Append(1, index, 200_000);
            log.Sync();
        }
        // Nothing was released, so all entries stay in memory.
        byte[] damaged = disk["wal-0000000000000001.log"];
        damaged.AsSpan(IDisk.Alignment).Clear();
        log.Verify();
        log.Wal.Release(60);
        Assert.Throws<StorageException>(() => log.Wal.Read(1, 60, 1, out _).Length);
        Assert.Equal(log.Records[59], log.Wal.Read(60, 60, 1, out _));
    }

    [Fact]
    public void Entries_that_other_members_need_stay_in_memory_up_to_a_bound()
    {
        MemoryDisk disk = new();
        using LogWriter log = new(disk, LogWriter.Small with { LagBuffers = 4 });
        int index = 0;
        Append(20);
        log.Wal.Release(20, replicated: 2);
        disk["wal-0000000000000001.log"].AsSpan(IDisk.Alignment).Clear();
        Assert.Equal(log.Records[2], log.Wal.Read(3, 3, 1, out _));
        log.Wal.Release(20, replicated: 20);
        Assert.Throws<StorageException>(() => log.Wal.Read(3, 3, 1, out _).Length);

        Append(60);
        log.Wal.Release(80, replicated: 20);
        Assert.True(log.Wal.MeasureInMemory(80, 80, 1, out _) > 0);
        Assert.Equal(0, log.Wal.MeasureInMemory(21, 80, 1, out _)); // needs more than four buffers

        void Append(int count)
        {
            for (int end = index + count; index < end;)
            {
                log.Append(1, ++index, 200_000);
                log.Sync();
            }
        }
    }

    [Fact]
    public void Memory_of_a_burst_is_given_back_by_the_seal_that_follows()
    {
        using LogWriter log = new(new MemoryDisk(), LogWriter.Small with { CacheBuffers = 6 });
        for (int index = 1; index <= 60; index++)
        {
            log.Append(1, index, 200_000);
            log.Sync();
        }
        log.Wal.Release(60);
        int first = Enumerable.Range(1, 60).First(index => log.Wal.MeasureInMemory(index, 60, 1, out _) > 0);
        Assert.True(log.WriteSeal());
        Assert.Equal(0, log.Wal.MeasureInMemory(first, 60, 1, out _));
        Assert.True(log.Wal.MeasureInMemory(60, 60, 1, out _) > 0);
        log.Verify();
    }

    [Fact]
    public void Entries_that_are_not_durable_stay_in_memory_though_applied()
    {
        using LogWriter log = new(new MemoryDisk());
        for (int index = 1; index <= 60; index++)
            log.Append(1, index, 200_000);
        log.Wal.Release(60);
        log.Verify();
        log.Sync();
        log.Verify();
    }

    [Fact]
    public void Measure_in_memory_spans_batches_and_equals_several_reads()
    {
        MemoryDisk disk = new();
        using LogWriter log = new(disk);
        for (int index = 1; index <= 60; index++)
        {
            log.Append(1, index, index % 3 == 0 ? 200_000 : 100);
            log.Sync();
        }
        int all = log.Records.Take(60).Sum(static record => record.Length);
        Assert.Equal(all, log.Wal.MeasureInMemory(1, 60, int.MaxValue, out int count));
        Assert.Equal(60, count);
        int bound = log.Records.Skip(4).Take(10).Sum(static record => record.Length);
        Assert.Equal(bound, log.Wal.MeasureInMemory(5, 60, bound + 1, out count));
        Assert.Equal(10, count);
        int read = 0;
        for (long index = 5; index < 15; index += count)
            read += log.Wal.Read(index, 14, bound - read, out count).Length;
        Assert.Equal(bound, read);
        Assert.Equal(log.Records[2].Length, log.Wal.MeasureInMemory(3, 60, 1, out count));
        Assert.Equal(1, count);
        log.Wal.Release(60);
        Assert.Equal(0, log.Wal.MeasureInMemory(1, 60, int.MaxValue, out count));
        Assert.Equal(0, count);
    }

    [Fact]
    public void Read_stops_at_the_bounds_but_returns_at_least_one_record()
    {
        using LogWriter log = new(new MemoryDisk());
        for (int index = 1; index <= 10; index++)
            log.Append(1, index, 100);
        int record = log.Records[0].Length;
        for (int fromDisk = 0; fromDisk <= 1; fromDisk++)
        {
            Assert.Equal(record, log.Wal.Read(3, 10, 1, out int count).Length);
            Assert.Equal(1, count);
            Assert.Equal(3 * record, log.Wal.Read(3, 10, 4 * record - 1, out count).Length);
            Assert.Equal(3, count);
            Assert.Equal(2 * record, log.Wal.Read(3, 4, int.MaxValue, out count).Length);
            Assert.Equal(2, count);
            Assert.Equal(10 * record, log.Wal.Read(1, 10, int.MaxValue, out count).Length);
            Assert.Equal(10, count);
            log.Sync();
            while (log.Records.Count < 30)
                log.Append(1, log.Records.Count + 1, 200_000);
            log.Sync();
            log.Wal.Release(30);
        }
    }

    [Fact]
    public void Readers_at_different_places_get_their_entries()
    {
        MemoryDisk disk = new();
        using (LogWriter log = new(disk))
        {
            for (int index = 1; index <= 500; index++)
            {
                log.Append(1, index, 20_000);
                log.Sync();
            }
        }
        using LogWriter again = new(disk);
        long[] next = [1, 100, 200, 300, 400, 450];
        for (int step = 0; step < 300; step++)
        {
            ref long index = ref next[step % next.Length];
            if (index > 500)
                continue;
            ReadOnlySpan<byte> run = again.Wal.Read(index, 500, 50_000, out int count);
            Assert.Equal(again.Records[(int)index - 1], run[..again.Records[(int)index - 1].Length]);
            index += count;
        }
    }

    // Without a sync, all entries are in one batch. A sync lets the reader have the first entries before the
    // truncation.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Truncated_entries_are_not_read_from_disk(bool isSynced)
    {
        MemoryDisk disk = new();
        LogWriter log = new(disk);
        for (int index = 1; index <= 4; index++)
            log.Append(1, index, seed: 1);
        if (isSynced)
        {
            log.Sync();
            log.Dispose();
            log = new LogWriter(disk);
        }
        log.Append(2, 3, seed: 2);
        log.Append(2, 4, seed: 2);
        while (log.Records.Count < 30)
            log.Append(2, log.Records.Count + 1, 200_000);
        log.Sync();
        log.Wal.Release(30);
        log.Verify();
        log.Dispose();
    }

    private static void Run(Wal wal, byte[] record, int entries)
    {
        for (int i = 0; i < entries; i++)
        {
            LogPosition position = new(1, wal.Last.Index + 1);
            Record.Stamp(record, position);
            Record.TryReadHeader(record, out RecordHeader header);
            wal.Append(record, header);
            if (!wal.HasRoom(record.Length) || i % 20 != 0)
                continue;
            wal.TryPublish(out _);
            while (wal.Writer.TryTake(out WalBatch batch))
            {
                wal.Writer.Write(batch);
                wal.Completed(batch);
            }
            wal.Read(position.Index, position.Index, int.MaxValue, out _);
            wal.Release(position.Index);
        }
    }
}
