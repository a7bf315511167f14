using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Tests.Peers;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Tests.Node;

/// <summary>Member 1 with a new log on a real disk. The test drives it, and does the work of its threads.</summary>
internal sealed class TestMember : IDisposable
{
    /// <summary>Member 1 alone.</summary>
    public static readonly ClusterConfiguration Alone =
        ClusterConfiguration.Bootstrap([new PeerAddress("127.0.0.1", 1)]);

    private readonly TemporaryDirectory directory = new();

    public TestMember(ClusterConfiguration members, IPeerNetwork network)
    {
        FileDisk disk = new(directory.Location, DiskWriteMode.Buffered);
        Wal = Wal.Open(disk, clusterId: 1, memberId: 1, new WalOptions { SegmentBytes = 8 << 20 }, out _);
        Core = new RaftCore(
            1, new ConfigurationHistory(members), new RaftOptions(), default, new TermRuns(), new Random(1));
        Node = new RaftNode(TestNode.Parts(Core, Wal, State, disk, network));
    }

    public StateMachine State { get; } = new(new KeyValueStore());

    public RaftCore Core { get; }

    public Wal Wal { get; }

    public RaftNode Node { get; }

    public void Dispose()
    {
        Wal.Dispose();
        State.Dispose();
        directory.Dispose();
    }
}
