using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Storage.Tests.Log;

using Record = RaftFast.Protocol.Record;

/// <summary>Configurations in a recovered log. The latest in the log is in effect (§6).</summary>
public sealed class WalConfigurationTests
{
    [Fact]
    public void Configurations_are_recovered_in_order_with_their_indexes()
    {
        MemoryDisk disk = new();
        using (LogWriter log = new(disk))
        {
            Assert.Empty(log.Recovery.Configurations);
            log.Append(Configuration(1, 1, members: 1));
            log.Append(1, 2);
            log.Sync();
            log.Append(Configuration(1, 3, members: 2));
            log.Append(Configuration(2, 4, members: 3));
            log.Sync();
        }
        Assert.Equal([(1, 1), (3, 2), (4, 3)], Recovered(disk));
    }

    [Fact]
    public void Configuration_that_was_overwritten_is_gone() // §5.3; thesis §4.1: rolled back with its entry
    {
        MemoryDisk disk = new();
        using (LogWriter log = new(disk))
        {
            log.Append(Configuration(1, 1, members: 1));
            log.Append(Configuration(1, 2, members: 2));
            log.Append(1, 3);
            log.Append(Configuration(1, 4, members: 4));
            log.Sync();
            log.Append(2, 4);
            log.Sync();
        }
        Assert.Equal([(1, 1), (2, 2)], Recovered(disk));
        using (LogWriter log = new(disk))
        {
            log.Append(Configuration(3, 2, members: 5)); // replaces entry 2
            log.Sync();
        }
        Assert.Equal([(1, 1), (2, 5)], Recovered(disk));
        using (LogWriter log = new(disk))
        {
            log.Append(4, 1);
            log.Sync();
        }
        Assert.Empty(Recovered(disk));
    }

    [Fact]
    public void Configuration_in_a_torn_tail_is_not_recovered()
    {
        MemoryDisk disk = new();
        using (LogWriter log = new(disk))
        {
            log.Append(Configuration(1, 1, members: 1));
            log.Sync();
            log.Append(Configuration(1, 2, members: 2));
            log.Sync();
        }
        byte[] segment = disk[WalSegment.Name(1)];
        int at = segment.AsSpan().LastIndexOf("http://"u8);
        segment[at] ^= 1;
        Assert.Equal([(1, 1)], Recovered(disk));
    }

    [Fact]
    public void Configurations_survive_segment_rolls()
    {
        MemoryDisk disk = new();
        List<(long, int)> written = [];
        using (LogWriter log = new(disk))
        {
            for (long index = 1; index <= 12; index++)
            {
                if (index % 4 == 1)
                {
                    log.Append(Configuration(1, index, members: (int)index));
                    written.Add((index, (int)index));
                }
                else
                {
                    log.Append(1, index, PutCommand.ValueBytesMax);
                }
                log.Sync();
            }
        }
        using (LogWriter again = new(disk))
            Assert.True(again.Recovery.Segments > 2);
        Assert.Equal(written, Recovered(disk));
    }

    [Fact]
    public void Configuration_of_another_cluster_is_refused_with_file_and_byte()
    {
        MemoryDisk disk = new();
        using (LogWriter log = new(disk))
        {
            log.Append(1, 1);
            log.Append(Configuration(1, 2, members: 1, cluster: LogWriter.Cluster + 1));
            log.Sync();
        }
        string message = Assert.Throws<StorageException>(() => Recovered(disk)).Message;
        Assert.Contains($"{WalSegment.Name(1)} is damaged at byte ", message, StringComparison.Ordinal);
        Assert.Contains("entry 2 is no configuration of this cluster", message, StringComparison.Ordinal);
    }

    private static (long Index, int Members)[] Recovered(MemoryDisk disk)
    {
        using LogWriter log = new(disk);
        log.Verify();
        return [.. log.Recovery.Configurations.Select(found => (found.Index, found.Configuration.Members.Count))];
    }

    private static byte[] Configuration(long term, long index, int members, ulong cluster = LogWriter.Cluster)
    {
        Member[] all =
        [
            .. Enumerable.Range(1, members)
                .Select(id => new Member((ulong)id, new PeerAddress("127.0.0.1", 9020 + id))),
        ];
        byte[] record = ConfigurationRecord.Write(new ClusterConfiguration(cluster, all));
        Record.Stamp(record, new LogPosition(term, index));
        return record;
    }
}
