using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Storage.Tests.Log;

public sealed class WalRecoveryTests
{
    private const string First = "wal-0000000000000001.log";
    private const string Second = "wal-0000000000000002.log";

    /// <summary>Offset of the last batch of <see cref="ThreeBatches"/>, a header and one record.</summary>
    private const int LastBatch = 3 * IDisk.Alignment;
    private const int LastRecord = LastBatch + WalBatchHeader.Size;

    [Fact]
    public void Power_loss_does_not_take_away_a_segment_that_a_killed_process_has_named()
    {
        MemoryDisk disk = new() { NextDirectorySyncFails = true };
        Assert.Throws<StorageException>(() => new LogWriter(disk));
        using (LogWriter log = new(disk))
        {
            log.Append(1, 1);
            log.Sync();
        }
        disk.Crash();
        using LogWriter again = new(disk);
        Assert.Equal(new LogPosition(1, 1), again.Recovery.Last);
    }

    [Fact]
    public void Start_reports_the_bytes_that_it_has_read_of_all_segments()
    {
        MemoryDisk disk = new();
        using (LogWriter log = new(disk, LogWriter.Tiny))
        {
            for (int i = 1; i <= 20; i++)
            {
                log.Append(1, i);
                log.Sync();
            }
        }
        List<(long Read, long All)> reports = [];
        WalOptions options = LogWriter.Tiny with { BytesRead = (read, all) => reports.Add((read, all)) };
        using LogWriter again = new(disk, options);
        long segment = options.SegmentBytes;
        Assert.Equal([(0, 3 * segment), (segment, 3 * segment), (2 * segment, 3 * segment), (3 * segment, 3 * segment)],
            reports);
    }

    [Fact]
    public void Recovered_bytes_are_synced_before_the_log_opens()
    {
        MemoryDisk disk = ThreeBatches(isSealed: false, out _);
        int before = disk.FileSyncs;
        using LogWriter again = new(disk);
        Assert.Equal(before + 1, disk.FileSyncs);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Batch_that_only_the_page_cache_holds_is_on_the_disk_before_the_log_opens(bool isSealed)
    {
        MemoryDisk disk = ThreeBatches(isSealed, out _);
        disk.HasPageCache = true;
        using (LogWriter log = new(disk))
        {
            log.Append(1, 4);
            disk.FailingWrite = disk.Writes + 1;
            Assert.Throws<StorageException>(() => log.Sync());
        }
        using (LogWriter log = new(disk))
        {
            Assert.Equal(new LogPosition(1, 4), log.Recovery.Last);
            log.Append(1, 5);
            log.Sync();
        }
        disk.Crash();
        using LogWriter again = new(disk);
        Assert.Equal(new LogPosition(1, 5), again.Recovery.Last);
    }

    [Fact]
    public void Any_damage_in_the_last_record_is_corruption_once_a_seal_follows()
    {
        MemoryDisk disk = ThreeBatches(isSealed: true, out int length);
        for (int at = LastBatch; at < LastRecord + length; at++)
        {
            MemoryDisk damaged = disk.Copy();
            damaged[First][at] ^= 0x10;
            byte[] before = [.. damaged[First]];
            string message = Refusal(damaged);
            int place = at < LastRecord ? LastBatch : LastRecord;
            Assert.Contains($"{First} is damaged at byte {place}:", message, StringComparison.Ordinal);
            Assert.Contains("put the copy in its place", message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', message);
            Assert.Equal(before, damaged[First]);
            Assert.Equal(0, damaged.Writes);
        }
    }

    [Fact]
    public void Any_damage_in_the_last_record_is_a_torn_tail_while_nothing_follows()
    {
        MemoryDisk disk = ThreeBatches(isSealed: false, out int length);
        for (int at = LastBatch; at < LastRecord + length; at++)
        {
            MemoryDisk damaged = disk.Copy();
            damaged[First][at] ^= 0x10;
            LastBatchIsCutOff(damaged);
        }
    }

    [Fact]
    public void File_cut_at_any_byte_of_the_last_record_keeps_the_entries_before_it()
    {
        MemoryDisk disk = ThreeBatches(isSealed: true, out int length);
        int size = disk[First].Length;
        for (int end = LastBatch + 1; end < LastRecord + length; end++)
        {
            MemoryDisk cut = disk.Copy();
            cut[First] = cut[First][..end];
            LastBatchIsCutOff(cut);
            Assert.Equal(size, cut[First].Length);
        }
    }

    [Fact]
    public void File_cut_in_the_padding_of_the_last_batch_loses_nothing()
    {
        MemoryDisk disk = ThreeBatches(isSealed: false, out int length);
        int size = disk[First].Length;
        disk[First] = disk[First][..(LastRecord + length + 1)];
        using (LogWriter log = new(disk))
        {
            Assert.Equal(3, log.Records.Count);
            Assert.Null(log.Recovery.TornTail);
        }
        Assert.Equal(size, disk[First].Length);
        using LogWriter again = new(disk);
        again.Append(1, 4);
        again.Sync();
        again.Verify();
    }

    [Fact]
    public void Each_block_of_a_torn_batch_may_be_missing()
    {
        MemoryDisk disk = new();
        using (LogWriter log = new(disk))
        {
            log.Append(1, 1);
            log.Sync();
            for (int index = 2; index <= 6; index++)
                log.Append(1, index, 3000);
            log.Sync();
        }
        const int batch = 2 * IDisk.Alignment;
        for (int missing = 1; missing < 16; missing++)
        {
            MemoryDisk torn = disk.Copy();
            for (int block = 0; block < 4; block++)
            {
                if ((missing >> block & 1) != 0)
                    torn[First].AsSpan(batch + block * IDisk.Alignment, IDisk.Alignment).Clear();
            }
            using LogWriter log = new(torn);
            Assert.Single(log.Records);
            Assert.Equal(missing == 15, log.Recovery.TornTail is null);
            Assert.False(torn[First].AsSpan(batch).ContainsAnyExcept((byte)0), "what was cut off is still there");
        }
    }

    [Fact]
    public void Batch_after_a_torn_batch_takes_the_number_and_place_of_the_torn_batch()
    {
        MemoryDisk disk = ThreeBatches(isSealed: false, out _);
        disk[First][LastRecord] ^= 1;
        using (LogWriter log = new(disk))
        {
            log.Append(2, 3);
            Assert.True(log.Wal.TryPublish(out long number));
            Assert.Equal(3, number);
            log.Sync();
            log.Verify();
        }
        using LogWriter again = new(disk);
        Assert.Equal(new LogPosition(2, 3), again.Recovery.Last);
        Assert.Null(again.Recovery.TornTail);
    }

    [Fact]
    public void Damage_that_a_later_segment_follows_is_corruption()
    {
        MemoryDisk disk = TwoSegments();
        int at = disk[First].AsSpan().LastIndexOfAnyExcept((byte)0);
        disk[First][at] ^= 1;
        string message = Refusal(disk);
        Assert.Contains($"{First} is damaged at byte ", message, StringComparison.Ordinal);
        Assert.Contains(Second, message, StringComparison.Ordinal);
    }

    [Fact]
    public void Client_bytes_that_look_like_a_batch_header_do_not_count()
    {
        // A client that doesn't know the salt fills a value with headers of later batches.
        byte[] record = LogWriter.MakeRecord(1, 1, 12_000);
        for (int offset = 0; offset < 3 * IDisk.Alignment; offset += 8)
        {
            int at = WalBatchHeader.Size + offset;
            if (at % IDisk.Alignment == 0 && offset + WalBatchHeader.Size < record.Length)
            {
                WalBatchHeader header = new(5, IDisk.Alignment + at, WalBatchHeader.Size, 0, 0, default);
                header.Write(record.AsSpan(offset), 0);
            }
        }
        Assert.Contains("RFbt"u8.ToArray(), Windows(record));
        int payload = PutCommand.PayloadLength(4, 12_000);
        Record.Finish(record, RecordType.Command, payload);
        Record.Stamp(record, new LogPosition(1, 1));
        MemoryDisk disk = new();
        using (LogWriter log = new(disk))
        {
            log.Append(record);
            log.Sync();
        }
        disk[First].AsSpan(IDisk.Alignment, IDisk.Alignment).Clear();
        using LogWriter again = new(disk);
        Assert.Empty(again.Records);
        Assert.NotNull(again.Recovery.TornTail);
    }

    [Fact]
    public void Damaged_segment_header_is_corruption_even_in_the_last_segment()
    {
        foreach (string name in new[] { First, Second })
        {
            foreach (int at in new[] { 0, 5, 17, 90, 4095 })
            {
                MemoryDisk disk = TwoSegments();
                disk[name][at] ^= 1;
                Assert.Contains($"{name} is damaged at byte 0:", Refusal(disk), StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Missing_segment_is_refused()
    {
        MemoryDisk disk = TwoSegments();
        disk.Delete(First);
        Assert.Contains(
            $"{Second} begins after entry 3, and there is no snapshot", Refusal(disk), StringComparison.Ordinal);
    }

    [Fact]
    public void Log_of_another_node_or_cluster_is_refused()
    {
        MemoryDisk disk = ThreeBatches(isSealed: false, out _);
        foreach ((ulong cluster, ulong member) in new[] { (LogWriter.Cluster, 8ul), (0xC2ul, LogWriter.Member) })
        {
            StorageException refusal = Assert.Throws<StorageException>(
                () => Wal.Open(disk, cluster, member, LogWriter.Small, out _));
            Assert.Contains("is of member 7 of cluster 00000000000000c1", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Format_of_a_later_version_is_refused_as_such()
    {
        MemoryDisk disk = ThreeBatches(isSealed: false, out _);
        byte[] block = disk[First];
        block[8] = 2;
        BitConverter.TryWriteBytes(block, Crc32C.Compute(block.AsSpan(4, WalSegmentHeader.Size - 4)));
        Assert.Contains("has format 2", Refusal(disk), StringComparison.Ordinal);
    }

    [Fact]
    public void Damage_found_by_a_read_names_file_and_byte()
    {
        MemoryDisk disk = ThreeBatches(isSealed: true, out _);
        using Wal wal = Wal.Open(disk, LogWriter.Cluster, LogWriter.Member, LogWriter.Small, out _);
        disk[First][LastRecord + 40] ^= 1;
        StorageException damage = Assert.Throws<StorageException>(() => wal.Read(3, 3, 1, out _));
        Assert.Contains($"{First} is damaged at byte {LastRecord}:", damage.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Term_of_the_last_entry_counts_as_seen()
    {
        MemoryDisk disk = new();
        using (LogWriter log = new(disk))
        {
            log.AppendHardState(1, 2);
            log.Append(3, 1);
            log.Sync();
        }
        using LogWriter again = new(disk);
        Assert.Equal(new HardState(3, 0), again.Recovery.HardState);
    }

    [Fact]
    public void Crash_at_every_write_of_a_roll_leaves_the_synced_entries()
    {
        for (int failing = 1; ; failing++)
        {
            MemoryDisk disk = new();
            int synced = 0;
            LogWriter log = new(disk);
            disk.FailingWrite = disk.Writes + failing;
            try
            {
                for (; synced < 5; synced++)
                {
                    log.Append(1, synced + 1, 900_000);
                    log.Sync();
                }
            }
            catch (StorageException)
            {
                // The power fails with the disk.
            }
            disk.Crash();
            disk.FailingWrite = 0;
            using LogWriter again = new(disk);
            Assert.Equal(synced, again.Records.Count);
            again.Append(1, synced + 1, 900_000);
            again.Sync();
            again.Verify();
            log.Dispose();
            if (synced == 5)
                break;
        }
    }

    private static void LastBatchIsCutOff(MemoryDisk disk)
    {
        using LogWriter log = new(disk);
        Assert.Equal(2, log.Records.Count);
        Assert.Equal(2, log.Recovery.Batches);
        Assert.Contains($"at byte {LastBatch}, after entry 2", log.Recovery.TornTail, StringComparison.Ordinal);
        Assert.False(disk[First].AsSpan(LastBatch).ContainsAnyExcept((byte)0), "what was cut off is still there");
        log.Append(1, 3);
        log.Sync();
        log.Verify();
    }

    private static string Refusal(MemoryDisk disk) =>
        Assert.Throws<StorageException>(
            () => Wal.Open(disk, LogWriter.Cluster, LogWriter.Member, LogWriter.Small, out _)).Message;

    private static MemoryDisk ThreeBatches(bool isSealed, out int lastRecordBytes)
    {
        MemoryDisk disk = new();
        using LogWriter log = new(disk);
        for (int index = 1; index <= 3; index++)
        {
            log.Append(1, index);
            log.Sync();
        }
        lastRecordBytes = log.Records[2].Length;
        if (isSealed)
            Assert.True(log.WriteSeal());
        return disk;
    }

    private static MemoryDisk TwoSegments()
    {
        MemoryDisk disk = new();
        using LogWriter log = new(disk);
        for (int index = 1; index <= 4; index++)
        {
            log.Append(1, index, 900_000);
            log.Sync();
        }
        Assert.Equal([First, Second], disk.List());
        return disk;
    }

    private static IEnumerable<byte[]> Windows(byte[] bytes)
    {
        for (int i = 0; i + 4 <= bytes.Length; i++)
            yield return bytes[i..(i + 4)];
    }
}
