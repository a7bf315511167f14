using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Tests.Node;

internal static class TestNode
{
    /// <summary>Members 1, 2 and 3.</summary>
    public static readonly ClusterConfiguration Three = ClusterConfiguration.Bootstrap(
        [new PeerAddress("127.0.0.1", 1), new PeerAddress("127.0.0.1", 2), new PeerAddress("127.0.0.1", 3)]);

    /// <summary>
    /// Parts of a member of a cluster with id 1, whose threads do nothing: the test writes the log, and does what else
    /// it needs of their work.
    /// </summary>
    public static NodeParts Parts(RaftCore core, Wal wal, StateMachine state, IDisk disk, IPeerNetwork network) => new()
    {
        Core = core,
        Wal = wal,
        State = state,
        SnapshotFiles = SnapshotStore.Open(disk, clusterId: 1),
        Recovered = core.HardState,
        Network = network,
        Acceptance = new Acceptance(hasPromised: true),
        Address = new PeerAddress("127.0.0.1", 1),
        Snapshots = new SnapshotOptions(),
        Actions = new NodeActions
        {
            WakeWriter = static () => { },
            WakeSegments = static () => { },
            RunSnapshot = static _ => { },
            ReadEntries = static _ => { },
            Free = static _ => { },
            Resume = static _ => { },
            HandedOver = static () => { },
            Stop = static () => { },
        },
        FirstNumber = 1,
        RequestTimeout = 5000,
        Random = new Random(1),
        Logger = NullLogger.Instance,
    };

    /// <summary>Writes all that the node has published.</summary>
    public static void WriteLog(Wal wal, RaftNode node)
    {
        while (wal.Writer.TryTake(out WalBatch batch))
        {
            Assert.True(wal.Writer.TryOpen(batch));
            wal.Writer.Write(batch);
            node.OnBatchDurable(batch);
            node.EndBatch();
        }
    }
}
