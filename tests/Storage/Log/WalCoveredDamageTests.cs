using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Tests.Disk;

namespace RaftFast.Storage.Tests.Log;

/// <summary>Damage in segments that a snapshot covers and that the log no longer needs.</summary>
public sealed class WalCoveredDamageTests
{
    private const int Segments = 5;

    [Fact]
    public void Log_begins_after_damage_that_the_snapshot_covers()
    {
        for (int segment = 1; segment < Segments; segment++)
        {
            MemoryDisk disk = FiveSegments();
            long end = LastBefore(disk, segment + 1);
            disk[Name(segment)][2 * IDisk.Alignment + 70] ^= 1;
            LogPosition snapshot = new(1, end);
            // Once as it is, once after a further start: the damaged file may still be there.
            for (int start = 0; start < 2; start++)
            {
                using LogWriter log = new(disk, LogWriter.Tiny, snapshot);
                Assert.StartsWith(
                    $"{Name(segment)} is damaged at byte {2 * IDisk.Alignment + 64}:", log.Recovery.CoveredDamage,
                    StringComparison.Ordinal);
                Assert.False(log.Recovery.WasReset);
                Assert.Equal(snapshot, log.Base);
                Assert.Equal(new LogPosition(1, 30), log.Recovery.Last);
                Assert.Equal(new HardState(1, 2), log.Recovery.HardState);
                log.Verify();
            }
        }
    }

    [Fact]
    public void Log_that_begins_after_damage_goes_on_and_uses_the_damaged_files_again()
    {
        MemoryDisk disk = FiveSegments();
        disk[Name(2)][IDisk.Alignment] ^= 1;
        LogPosition snapshot = new(1, LastBefore(disk, 3));
        using (LogWriter log = new(disk, LogWriter.Tiny, snapshot))
        {
            for (long index = 31; index <= 80; index++)
            {
                log.Append(1, index);
                log.Sync();
                log.Wal.TryPrepareSegment();
            }
            log.Verify();
        }
        Assert.False(disk.Exists(Name(2)));
        using LogWriter again = new(disk, LogWriter.Tiny, snapshot);
        Assert.Null(again.Recovery.CoveredDamage);
        Assert.Equal(new LogPosition(1, 80), again.Recovery.Last);
    }

    [Fact]
    public void Missing_segment_that_the_snapshot_covers_is_passed_over()
    {
        MemoryDisk disk = FiveSegments();
        LogPosition snapshot = new(1, LastBefore(disk, 4));
        disk.Delete(Name(2));
        disk.SyncDirectory();
        using LogWriter log = new(disk, LogWriter.Tiny, snapshot);
        Assert.Contains($"{Name(2)} is missing", log.Recovery.CoveredDamage, StringComparison.Ordinal);
        Assert.Equal(LastBefore(disk, 3), log.Base.Index);
        for (long index = 31; index <= 60; index++)
        {
            log.Append(1, index);
            log.Sync();
            log.Wal.TryPrepareSegment();
        }
        log.Verify();
    }

    [Fact]
    public void Damage_is_refused_unless_the_snapshot_covers_the_whole_segment()
    {
        for (int segment = 1; segment <= Segments; segment++)
        {
            MemoryDisk disk = FiveSegments();
            long end = segment == Segments ? 31 : LastBefore(disk, segment + 1);
            disk[Name(segment)][IDisk.Alignment] ^= 1;
            foreach (LogPosition snapshot in new[] { default, new LogPosition(1, end - 1) })
            {
                StorageException refusal = Assert.Throws<StorageException>(
                    () => new LogWriter(disk, LogWriter.Tiny, snapshot));
                Assert.Contains($"{Name(segment)} is damaged", refusal.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Segment_of_another_node_is_refused_even_if_the_snapshot_covers_it()
    {
        MemoryDisk disk = FiveSegments();
        Assert.Throws<StorageException>(() => Wal.Open(
            disk, LogWriter.Cluster, LogWriter.Member + 1, LogWriter.Tiny, new LogPosition(1, 20), out _));
    }

    /// <summary>A damaged log that opens holds what the undamaged log holds after the snapshot.</summary>
    [Fact]
    public void Damage_at_any_place_is_refused_or_changes_nothing_that_is_needed()
    {
        int opened = 0;
        for (int seed = 0; seed < 60; seed++)
        {
            Random random = new(seed);
            MemoryDisk disk = RandomLog(random, out List<LogPosition> positions);
            LogPosition snapshot = positions[random.Next(positions.Count)];
            using LogWriter intact = new(disk.Copy(), LogWriter.Tiny, snapshot);
            foreach (string name in disk.List())
            {
                MemoryDisk damaged = disk.Copy();
                int used = damaged[name].AsSpan().LastIndexOfAnyExcept((byte)0) + 1;
                damaged[name][random.Next(used)] ^= 1;
                try
                {
                    using LogWriter log = new(damaged, LogWriter.Tiny, snapshot);
                    if (log.Recovery.CoveredDamage is null)
                        continue;
                    opened++;
                    Assert.Equal(intact.Recovery.Last, log.Recovery.Last);
                    Assert.Equal(intact.Recovery.HardState, log.Recovery.HardState);
                    Assert.True(log.Base.Index <= snapshot.Index);
                    for (long index = snapshot.Index + 1; index <= log.Recovery.Last.Index; index++)
                    {
                        Assert.Equal(
                            intact.Records[(int)(index - intact.Base.Index - 1)],
                            log.Records[(int)(index - log.Base.Index - 1)]);
                    }
                }
                catch (StorageException refusal)
                {
                    Assert.Contains("is damaged", refusal.Message, StringComparison.Ordinal);
                }
            }
        }
        Assert.True(opened > 50, $"{opened} logs opened");
    }

    private static string Name(int segment) => $"wal-{segment:x16}.log";

    /// <summary>Index of the last entry before a segment.</summary>
    private static long LastBefore(MemoryDisk disk, int segment)
    {
        Assert.True(WalSegmentHeader.TryRead(disk[Name(segment)], out WalSegmentHeader header, out _, out _));
        return header.Last.Index;
    }

    private static MemoryDisk FiveSegments()
    {
        MemoryDisk disk = new();
        using LogWriter log = new(disk, LogWriter.Tiny);
        log.AppendHardState(1, 2);
        for (long index = 1; index <= 30; index++)
        {
            log.Append(1, index);
            log.Sync();
        }
        Assert.Equal(Segments, disk.List().Count);
        return disk;
    }

    /// <param name="positions">Entries of the log, which a snapshot may end with.</param>
    private static MemoryDisk RandomLog(Random random, out List<LogPosition> positions)
    {
        MemoryDisk disk = new();
        positions = [];
        using LogWriter log = new(disk, LogWriter.Tiny);
        long term = 1;
        for (int batch = 0; batch < 50; batch++)
        {
            long last = positions.Count;
            if (random.Next(6) == 0)
            {
                log.AppendHardState(++term, (ulong)random.Next(1, 4));
                last -= random.Next((int)Math.Min(last + 1, 12));
            }
            positions.RemoveRange((int)last, positions.Count - (int)last);
            for (int count = random.Next(1, 4); count > 0; count--)
            {
                positions.Add(new LogPosition(term, ++last));
                log.Append(term, last, random.Next(1, 2000));
            }
            log.Sync();
        }
        log.WriteSeal();
        return disk;
    }
}
