using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Tests.Peers;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Tests.Node;

/// <summary>Member 1 leads alone, and the node's caller may have more requests at hand.</summary>
public sealed class HeldWritesTests : IRequestOwner, IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly StateMachine state = new(new KeyValueStore());
    private readonly RaftCore core;
    private readonly Wal wal;
    private readonly RaftNode node;

    public HeldWritesTests()
    {
        FileDisk disk = new(directory.Location, DiskWriteMode.Buffered);
        wal = Wal.Open(disk, clusterId: 1, memberId: 1, new WalOptions { SegmentBytes = 8 << 20 }, out _);
        ClusterConfiguration one = ClusterConfiguration.Bootstrap([new PeerAddress("127.0.0.1", 1)]);
        core = new RaftCore(
            1, new ConfigurationHistory(one), new RaftOptions(), default, new TermRuns(), new Random(1));
        node = new RaftNode(TestNode.Parts(core, wal, state, disk, new RecordedNetwork()));
        while (!core.IsLeader)
        {
            node.OnTick();
            node.EndBatch();
            TestNode.WriteLog(wal, node);
        }
    }

    public void Dispose()
    {
        wal.Dispose();
        state.Dispose();
        directory.Dispose();
    }

    [Fact]
    public void Writes_of_several_rounds_share_a_write_to_the_log()
    {
        long last = core.Log.Last.Index;
        for (int round = 0; round < 3; round++)
        {
            Put(valueBytes: 100);
            node.EndBatch(mayHold: true);
            Assert.True(node.HoldsForMore);
        }
        Assert.Equal(last, core.Log.Last.Index);
        node.EndBatch();
        Assert.False(node.HoldsForMore);
        Assert.Equal(last + 3, core.Log.Last.Index);
        Assert.True(wal.Writer.TryTake(out WalBatch batch));
        Assert.Equal(core.Log.Last, batch.Last);
    }

    [Fact]
    public void Writes_that_fill_an_append_are_not_held()
    {
        long last = core.Log.Last.Index;
        while (core.Log.Last.Index == last)
        {
            Put(valueBytes: core.AppendBytesMax / 4);
            node.EndBatch(mayHold: true);
        }
        Assert.False(node.HoldsForMore);
        Assert.Equal(last + 4, core.Log.Last.Index);
    }

    bool IRequestOwner.MarkForResume() => false;

    void IRequestOwner.Resume()
    {
    }

    private void Put(int valueBytes)
    {
        ClientRequest write = new(this);
        write.Begin();
        write.BeginPut("/key"u8, valueBytes);
        write.AppendBody(new byte[valueBytes]);
        write.EndBody();
        node.OnRequest(write);
    }
}
