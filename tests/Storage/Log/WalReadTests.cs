using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Tests.Disk;

namespace RaftFast.Storage.Tests.Log;

/// <summary>Reads of old entries, which another thread steps while the loop goes on.</summary>
public sealed class WalReadTests
{
    private const int ValueBytes = 3000;

    private readonly MemoryDisk disk = new();

    [Theory]
    [InlineData(1)]
    [InlineData(5_000)]
    [InlineData(1 << 20)]
    public void Reads_give_all_records_in_order_and_keep_to_their_bound(int bytesMax)
    {
        int[] sizes = [20, 3_000, 400_000, 1_000_000, 0, 200_000];
        using (LogWriter log = new(disk))
        {
            for (int index = 1; index <= 60; index++)
            {
                if (index % 7 == 0)
                    log.AppendHardState(index, 1);
                log.Append(60, index, sizes[index % sizes.Length]);
                if (index % 4 == 0)
                    log.Sync();
            }
            log.Sync();
        }
        using LogWriter again = new(disk);
        WalRead read = again.Wal.CreateRead();
        for (long index = 1; index <= 60; index += read.Count)
        {
            again.Wal.BeginRead(read, index, bytesMax);
            RunToEnd(again.Wal, read);
            Assert.Equal(index, read.First);
            Assert.Equal(new LogPosition(60, index + read.Count - 1), read.Last);
            Assert.True(read.Count == 1 || read.Records.Length <= bytesMax);
            byte[] expected = [.. again.Records.Skip((int)index - 1).Take(read.Count).SelectMany(static r => r)];
            Assert.True(read.Records.SequenceEqual(expected));
        }
        Assert.True(read.MemoryBytes < 2 * again.Wal.RecordBytesMax + 3 * IDisk.Alignment);
    }

    [Fact]
    public void Next_read_continues_where_the_last_one_ended()
    {
        using LogWriter log = OnDisk(6);
        WalRead read = log.Wal.CreateRead();
        log.Wal.BeginRead(read, 1, ValueBytes);
        RunToEnd(log.Wal, read);
        Assert.True(read.EndedBefore(2));
        // The batch of entry 1 is not looked at again.
        disk[WalSegment.Name(1)].AsSpan(WalSegmentHeader.Size, IDisk.Alignment).Clear();
        log.Wal.BeginRead(read, 2, 1 << 20);
        RunToEnd(log.Wal, read);
        Assert.Equal((2L, 2, new LogPosition(1, 3)), (read.First, read.Count, read.Last));
        log.Wal.BeginRead(read, 1, 1 << 20);
        Run(read);
        Assert.Throws<StorageException>(() => log.Wal.TryEndRead(read));
    }

    [Fact]
    public void Entry_of_an_extent_that_has_grown_meanwhile_is_read()
    {
        using LogWriter log = OnDisk(3);
        WalRead read = log.Wal.CreateRead();
        log.Wal.BeginRead(read, 2, 1 << 20);
        RunToEnd(log.Wal, read);
        Assert.Equal(3, read.Last.Index);
        while (log.Wal.Last.Index < 12)
            Append(log);
        log.Wal.Release(12);
        log.Wal.BeginRead(read, 4, 1 << 20);
        RunToEnd(log.Wal, read);
        Assert.Equal(4, read.First);
        Assert.Equal(log.Records[3], read.Records[..log.Records[3].Length]);
    }

    /// <summary>
    /// Two objects read in turn, each from the place where the other has ended, as for a follower that is far behind.
    /// Batches hold truncated entries and hard states.
    /// </summary>
    [Fact]
    public void Two_reads_continue_each_other_in_a_log_that_was_truncated()
    {
        for (int seed = 0; seed < 60; seed++)
        {
            MemoryDisk disk = new();
            Random random = new(seed);
            List<byte[]> expected;
            using (LogWriter log = new(disk))
            {
                Change(log, random, term: 2, changes: 150);
                log.Sync();
                expected = [.. log.Records];
            }
            using LogWriter again = new(disk);
            WalRead[] reads = [again.Wal.CreateRead(), again.Wal.CreateRead()];
            ReadInTurn(again, reads, expected, random);
            // The end of the log goes, and what replaces it is in memory.
            int kept = random.Next(1, expected.Count);
            expected.RemoveRange(kept, expected.Count - kept);
            again.Append(1_000, kept + 1);
            again.Sync();
            ReadInTurn(again, reads, expected, random);
        }

        static void Change(LogWriter log, Random random, long term, int changes)
        {
            for (int i = 0; i < changes; i++)
            {
                int count = log.Records.Count;
                bool truncates = count > 0 && random.Next(8) == 0;
                if (random.Next(8) == 0)
                    log.AppendHardState(++term, 1);
                else if (random.Next(4) == 0)
                    log.Sync();
                else
                {
                    int index = 1 + (truncates ? random.Next(count) : count);
                    log.Append(truncates ? ++term : term, index, random.Next(30_000));
                }
            }
            if (log.Records.Count == 0)
                log.Append(term, 1);
        }
    }

    [Fact]
    public void Damage_in_a_segment_that_the_log_needs_is_reported()
    {
        using LogWriter log = OnDisk(6);
        disk[WalSegment.Name(1)][WalSegmentHeader.Size + 1000] ^= 1;
        WalRead read = log.Wal.CreateRead();
        log.Wal.BeginRead(read, 1, 1);
        Run(read);
        StorageException damage = Assert.Throws<StorageException>(() => log.Wal.TryEndRead(read));
        Assert.Contains("the record of entry 1 is not intact", damage.Message, StringComparison.Ordinal);
    }

    /// <param name="steps">Steps of the read before the segment is compacted: the first opens the file.</param>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(100)]
    public void Read_of_a_segment_that_becomes_the_next_one_counts_for_nothing(int steps)
    {
        using LogWriter log = OnDisk(30);
        WalRead read = log.Wal.CreateRead();
        log.Wal.BeginRead(read, 2, 1 << 20);
        bool isUnderWay = true;
        for (int step = 0; step < steps && isUnderWay; step++)
            isUnderWay = read.Step();
        log.CompactTo(20);
        // The log rolls into the file of its first segment, and fills it.
        for (int entry = 0; entry < 19; entry++)
            Append(log);
        Assert.False(disk.Exists(WalSegment.Name(1)));
        while (isUnderWay)
            isUnderWay = read.Step();
        Assert.False(log.Wal.TryEndRead(read));
        // The object reads on in other segments.
        long first = log.Wal.FirstIndex;
        log.Wal.BeginRead(read, first, 1);
        RunToEnd(log.Wal, read);
        Assert.Equal(log.Records[0], read.Records);
        log.Verify();
    }

    private static void ReadInTurn(LogWriter log, WalRead[] reads, List<byte[]> expected, Random random)
    {
        int bytesMax = random.Next(1, 200_000);
        WalRead before = reads[0];
        for (int index = 1, turn = 1; index <= expected.Count; turn++)
        {
            WalRead read = reads[turn % 2];
            log.Wal.BeginRead(read, index, bytesMax, before);
            RunToEnd(log.Wal, read);
            Assert.InRange(read.Last.Index, index, expected.Count);
            byte[] records = [.. expected.Skip(index - 1).Take(read.Count).SelectMany(static r => r)];
            Assert.True(read.Records.SequenceEqual(records), $"entry {index} differs");
            index += read.Count;
            before = read;
        }
    }

    private static void RunToEnd(Wal wal, WalRead read)
    {
        Run(read);
        Assert.True(wal.TryEndRead(read));
    }

    private static void Run(WalRead read)
    {
        while (read.Step())
        {
        }
    }

    /// <summary>A log whose entries are no longer in memory.</summary>
    private LogWriter OnDisk(int count)
    {
        using (LogWriter log = new(disk, LogWriter.Tiny))
        {
            for (int entry = 0; entry < count; entry++)
                Append(log);
        }
        return new LogWriter(disk, LogWriter.Tiny);
    }

    private static void Append(LogWriter log)
    {
        log.Wal.TryPrepareSegment();
        log.Append(1, log.Wal.Last.Index + 1, ValueBytes);
        log.Sync();
    }
}
