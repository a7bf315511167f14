using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Storage.Tests.Log;

/// <summary>
/// Recycled segments: a segment made from an unneeded segment keeps the old bytes after the new header.
/// </summary>
public sealed class WalRecyclingTests
{
    private const int ValueBytes = 3000;

    [Fact]
    public void Recycled_segment_recovers_at_every_length()
    {
        MemoryDisk disk = Recycled(out LogWriter log, out LogPosition snapshot);
        using (log)
        {
            for (int i = 0; i < 30; i++)
            {
                using LogWriter again = new(disk.Copy(), LogWriter.Tiny, snapshot);
                Assert.Null(again.Recovery.TornTail);
                Assert.Equal(log.Wal.Last, again.Recovery.Last);
                again.Verify();
                Append(log);
            }
        }
    }

    [Fact]
    public void Each_block_of_a_batch_torn_over_old_bytes_may_be_missing()
    {
        MemoryDisk disk = Recycled(out LogWriter log, out LogPosition snapshot);
        using (log)
        {
            for (int i = 0; i < 10; i++)
            {
                MemoryDisk before = disk.Copy();
                log.Append(1, log.Wal.Last.Index + 1, 2 * ValueBytes);
                log.Wal.TryPublish(out _);
                Assert.True(log.Wal.Writer.TryTake(out WalBatch batch));
                log.Wal.Writer.Write(batch);
                Assert.Equal(2 * IDisk.Alignment, batch.Bytes);
                string name = WalSegment.Name(batch.Segment);
                int sectors = batch.Bytes / 512;
                for (int missing = 0; missing < 1 << sectors && before.Exists(name); missing += 1 + missing / 3)
                {
                    MemoryDisk torn = disk.Copy();
                    for (int sector = 0; sector < sectors; sector++)
                    {
                        int at = batch.Offset + sector * 512;
                        if ((missing >> sector & 1) != 0)
                            before[name].AsSpan(at, 512).CopyTo(torn[name].AsSpan(at));
                    }
                    bool isWhole = torn[name].AsSpan(batch.Offset, batch.Bytes).SequenceEqual(
                        disk[name].AsSpan(batch.Offset, batch.Bytes));
                    using LogWriter again = new(torn, LogWriter.Tiny, snapshot);
                    Assert.Equal(log.Wal.Last.Index - (isWhole ? 0 : 1), again.Recovery.Last.Index);
                    again.Append(1, again.Wal.Last.Index + 1, ValueBytes);
                    again.Sync();
                    again.Verify();
                    using LogWriter last = new(torn, LogWriter.Tiny, snapshot);
                    last.VerifySame(again);
                }
                log.Wal.Completed(batch);
                log.Wal.Release(log.Wal.Last.Index);
            }
        }
    }

    [Fact]
    public void Unfinished_batch_over_old_bytes_is_reported_and_cut_off()
    {
        MemoryDisk disk = Recycled(out LogWriter log, out LogPosition snapshot);
        (string name, int offset) = LastBatch(disk, log);
        log.Dispose();
        disk[name][offset + WalBatchHeader.Size + 40] ^= 1;
        using LogWriter again = new(disk, LogWriter.Tiny, snapshot);
        Assert.Equal(
            $"{name}: an unfinished batch was cut off at byte {offset}, after entry {again.Recovery.Last.Index}",
            again.Recovery.TornTail);
        Assert.False(disk[name].AsSpan(offset).ContainsAnyExcept((byte)0), "what was cut off is still there");
    }

    [Fact]
    public void Damage_that_a_batch_of_the_same_segment_follows_is_corruption()
    {
        MemoryDisk disk = Recycled(out LogWriter log, out LogPosition snapshot);
        (string name, int offset) = LastBatch(disk, log);
        Append(log);
        Assert.Equal((name, offset + IDisk.Alignment), LastBatch(disk, log));
        log.Dispose();
        disk[name][offset + WalBatchHeader.Size + 40] ^= 1;
        string message = Assert.Throws<StorageException>(() => new LogWriter(disk, LogWriter.Tiny, snapshot)).Message;
        Assert.Contains(
            $"{name} is damaged at byte {offset + WalBatchHeader.Size}:", message, StringComparison.Ordinal);
        Assert.Contains($"follows at byte {offset + IDisk.Alignment}", message, StringComparison.Ordinal);
    }

    [Fact] // One segment in 2^32 has the salt of the older one. Then batch numbers tell old batches from new.
    public void Old_batch_of_the_same_salt_counts_for_nothing()
    {
        MemoryDisk disk = Recycled(out LogWriter log, out LogPosition snapshot);
        (string name, int offset) = LastBatch(disk, log);
        LogPosition last = log.Wal.Last;
        log.Dispose();
        Assert.True(WalSegmentHeader.TryRead(disk[name], out WalSegmentHeader header, out uint salt, out _));
        Assert.True(header.HoldsOldBytes);
        for (int at = offset + IDisk.Alignment; at < disk[name].Length; at += IDisk.Alignment)
        {
            WalBatchHeader old = new(header.FirstBatch - 1, at, WalBatchHeader.Size, 0, 0, last);
            old.Write(disk[name].AsSpan(at), salt);
        }
        using (LogWriter again = new(disk.Copy(), LogWriter.Tiny, snapshot))
            Assert.Equal(last, again.Recovery.Last);
        // The same is true after a torn batch.
        disk[name][offset + WalBatchHeader.Size + 40] ^= 1;
        using LogWriter torn = new(disk, LogWriter.Tiny, snapshot);
        Assert.Equal(last.Index - 1, torn.Recovery.Last.Index);
    }

    [Fact]
    public void Old_bytes_are_there_until_they_are_overwritten()
    {
        // Without old bytes the tests above would prove nothing.
        MemoryDisk disk = Recycled(out LogWriter log, out _);
        (string name, int offset) = LastBatch(disk, log);
        Assert.True(WalSegmentHeader.TryRead(disk[name], out WalSegmentHeader header, out uint salt, out _));
        int old = 0;
        for (int at = offset + IDisk.Alignment; at < disk[name].Length; at += IDisk.Alignment)
        {
            Assert.False(WalBatchHeader.TryRead(disk[name], at, salt, out _));
            if (disk[name].AsSpan(at + 4, 4).SequenceEqual("RFbt"u8))
                old++;
        }
        Assert.Equal((disk[name].Length - offset) / IDisk.Alignment - 1, old);
        log.Dispose();
    }

    [Fact]
    public void Recycling_writes_no_zeros()
    {
        MemoryDisk disk = Recycled(out LogWriter log, out _);
        using (log)
        {
            while (log.Wal.NextSegmentIsReady)
                Append(log);
            log.CompactTo(log.Wal.Last.Index);
            int writes = disk.Writes;
            long free = disk.BytesFree;
            Assert.True(log.Wal.TryPrepareSegment());
            Assert.Equal(writes, disk.Writes);
            Assert.True(disk.BytesFree >= free);
        }
    }

    /// <summary>Makes a log whose last batch is the first batch of a recycled segment.</summary>
    private static MemoryDisk Recycled(out LogWriter log, out LogPosition snapshot)
    {
        MemoryDisk disk = new();
        log = new LogWriter(disk, LogWriter.Tiny);
        for (int i = 1; i <= 28; i++)
            Append(log);
        snapshot = new LogPosition(1, 20);
        log.CompactTo(snapshot.Index);
        Assert.True(log.Wal.TryPrepareSegment());
        Append(log);
        Assert.Equal(2 * IDisk.Alignment, disk[WalSegment.Name(5)].AsSpan().IndexOf("RFbt"u8) + IDisk.Alignment - 4);
        return disk;
    }

    private static void Append(LogWriter log)
    {
        log.Append(1, log.Wal.Last.Index + 1, ValueBytes);
        log.Sync();
        log.Wal.Release(log.Wal.Last.Index);
    }

    private static (string Name, int Offset) LastBatch(MemoryDisk disk, LogWriter log)
    {
        string name = disk.List().Last(file => WalSegment.TryParseName(file, out _));
        int at = disk[name].AsSpan().LastIndexOf(log.Records[^1]);
        return (name, at - WalBatchHeader.Size);
    }
}
