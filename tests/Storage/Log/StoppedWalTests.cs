using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Storage.Tests.Log;

public sealed class StoppedWalTests
{
    private readonly MemoryDisk disk = new();

    [Fact]
    public void Log_is_read_whole_and_left_as_it_is()
    {
        List<byte[]> records;
        using (LogWriter log = new(disk, LogWriter.Tiny))
        {
            log.AppendHardState(3, 2);
            for (int index = 1; index <= 40; index++)
            {
                log.Append(3, index);
                log.Sync();
            }
            records = [.. log.Records];
        }
        string[] before = [.. disk.List()];
        using StoppedWal wal = StoppedWal.Read(disk, LogWriter.Cluster, LogWriter.Member);
        Assert.Null(wal.Damage);
        Assert.Equal(
            (new HardState(3, 2), default(LogPosition), new LogPosition(3, 40)), (wal.HardState, wal.Base, wal.Last));
        Assert.True(wal.ContinuesFrom(default));
        Assert.True(wal.ContinuesFrom(new LogPosition(3, 17)));
        Assert.False(wal.ContinuesFrom(new LogPosition(4, 17)));
        Assert.False(wal.ContinuesFrom(new LogPosition(3, 41)));
        for (long index = 1; index <= 40; index++)
            Assert.Equal(records[(int)index - 1], wal.Read(index, index, 1, out _).ToArray());
        Assert.True(wal.Files.Count > 1);
        Assert.Equal(1, wal.Files[0].FirstIndex);
        Assert.Equal(40, wal.Files[^1].LastIndex);
        for (int i = 1; i < wal.Files.Count; i++)
            Assert.Equal(wal.Files[i - 1].LastIndex + 1, wal.Files[i].FirstIndex);
        Assert.Equal(before, disk.List());
    }

    [Fact]
    public void Damage_is_reported_with_the_log_before_it()
    {
        using (LogWriter log = new(disk, LogWriter.Tiny))
        {
            for (int index = 1; index <= 40; index++)
            {
                log.Append(3, index);
                log.Sync();
            }
        }
        using (IDiskFile second = disk.Open(WalSegment.Name(2)))
        using (AlignedMemory block = new(IDisk.Alignment))
        {
            second.Read(0, block.Span);
            block.Span[100] ^= 1;
            second.Write(0, block.Span);
        }
        using StoppedWal wal = StoppedWal.Read(disk, LogWriter.Cluster, LogWriter.Member);
        Assert.Contains($"{WalSegment.Name(2)} is damaged at byte 0", wal.Damage, StringComparison.Ordinal);
        Assert.Equal(wal.Files[0].LastIndex, wal.Last.Index);
        Assert.Equal(0, wal.Files[1].FirstIndex);
    }

    /// <summary>The log of a restored member.</summary>
    [Fact]
    public void Log_made_for_a_snapshot_continues_after_it()
    {
        LogPosition snapshot = new(7, 100);
        Wal.Create(disk, LogWriter.Cluster, LogWriter.Member, LogWriter.Tiny, snapshot);
        disk.Crash();
        using (StoppedWal wal = StoppedWal.Read(disk, LogWriter.Cluster, LogWriter.Member))
        {
            Assert.Equal((snapshot, snapshot), (wal.Base, wal.Last));
            Assert.True(wal.ContinuesFrom(snapshot));
            Assert.Throws<StorageException>(() => wal.ContinuesFrom(default));
        }
        using (LogWriter log = new(disk, LogWriter.Tiny, snapshot))
        {
            Assert.False(log.Recovery.WasReset);
            Assert.Equal(new HardState(7, 0), log.Recovery.HardState);
            log.AppendHardState(8, 1);
            log.Append(8, 101);
            log.Sync();
        }
        using LogWriter again = new(disk, LogWriter.Tiny, snapshot);
        Assert.Equal(new LogPosition(8, 101), again.Recovery.Last);
        Assert.Throws<StorageException>(() => new LogWriter(disk, LogWriter.Tiny));
    }
}
