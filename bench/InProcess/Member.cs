using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Loop;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Recovery;
using RaftFast.Server.Threads;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Bench.InProcess;

/// <summary>A member put together as <see cref="NodeHost"/> does it, from the same parts but for the sockets.</summary>
internal sealed class Member : IDisposable
{
    private readonly Wal wal;
    private readonly StateMachine state = new(new KeyValueStore());
    private readonly RaftCore core;
    private readonly SegmentPreparer segments;
    private readonly WalWriter writer;
    private readonly SnapshotThread snapshots;
    private readonly NodeLoop loop;

    /// <param name="directory">Exists and is empty.</param>
    public Member(ulong id, ClusterConfiguration cluster, string directory)
    {
        FileDisk disk = new(directory, DiskWriteMode.Direct);
        wal = Wal.Open(disk, cluster.ClusterId, id, WalOptions, out WalRecovery recovery);
        Inbox = new Inbox(HttpLimits.ConnectionsMax * HttpLimits.PipelineDepthMax + PeerOptions.PeersMax * PeerOptions.InboxItemsPerPeer);
        Network = new PipeNetwork(id, Inbox);
        Front = new HttpFront(Inbox.Add, HttpLimits, TimeProvider.System, () => Inbox.Run(Inbox.SocketThreadBatchesMax));
        segments = new SegmentPreparer(wal, NullLogger.Instance);
        writer = new WalWriter(wal, Inbox, segments);
        SnapshotOptions options = new();
        snapshots = new SnapshotThread(Inbox, options.WriteBytesPerSecond);
        Random random = new((int)id);
        core = new RaftCore(
            id, CoreRecovery.Configurations(cluster, null, recovery), new RaftOptions(), recovery.HardState, CoreRecovery.TermRuns(recovery), random);
        RaftNode node = new(
            core, wal, state, SnapshotStore.Open(disk, cluster.ClusterId), recovery.HardState, Network, cluster.Find(id)!.Address, options,
            new NodeActions(writer.Wake, segments.Wake, snapshots.Run, () => { }), 1, RequestTimeoutMilliseconds, random, NullLogger.Instance);
        loop = new NodeLoop(node, Inbox);
    }

    private const long RequestTimeoutMilliseconds = 5000;

    /// <summary>A new segment allocates, file names mostly: none ends in a few thousand writes. Few slabs are soon all in use.</summary>
    private static WalOptions WalOptions { get; } = new() { SegmentBytes = 32 << 20, CacheBuffers = 2 };

    private static HttpLimits HttpLimits { get; } = new();

    public Inbox Inbox { get; }

    public PipeNetwork Network { get; }

    public HttpFront Front { get; }

    /// <summary>As another thread sees it: perhaps no longer so.</summary>
    public bool IsLeader => core.IsLeader;

    public void Start()
    {
        segments.Start();
        writer.Start();
        snapshots.Start();
        loop.Start();
    }

    /// <summary>Its connections are closed already.</summary>
    public void Dispose()
    {
        Front.DisposeAsync().AsTask().Wait();
        loop.Dispose();
        Network.End();
        snapshots.Dispose();
        writer.Dispose();
        segments.Dispose();
        wal.Dispose();
        state.Dispose();
    }
}
