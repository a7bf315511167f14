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

/// <summary>A member, built from the same parts as in <c>NodeHost</c>, but without sockets.</summary>
internal sealed class Member : IDisposable
{
    private readonly Wal wal;
    private readonly StateMachine state = new(new KeyValueStore());
    private readonly RaftCore core;
    private readonly SegmentPreparer segments;
    private readonly WalThreadWriter writer;
    private readonly LogReadThread reader;
    private readonly SnapshotThread snapshots;
    private readonly NodeLoop loop;

    /// <param name="directory">An existing, empty directory.</param>
    public Member(ulong id, ClusterConfiguration cluster, string directory)
    {
        FileDisk disk = new(directory, DiskWriteMode.Direct);
        wal = Wal.Open(disk, cluster.ClusterId, id, WalOptions, out WalRecovery recovery);
        int httpItems = HttpLimits.RequestsMax;
        Inbox = new Inbox(httpItems + PeerOptions.PeersMax * PeerOptions.InboxItemsPerPeer);
        Network = new PipeNetwork(id, Inbox);
        Front = new HttpFront(
            Inbox.Add, HttpLimits, TimeProvider.System, () => Inbox.Run(Inbox.SocketThreadBatchesMax));
        segments = new SegmentPreparer(wal, Inbox, NullLogger.Instance);
        writer = new WalThreadWriter(wal, Inbox, segments);
        reader = new LogReadThread(Inbox);
        SnapshotOptions options = new();
        snapshots = new SnapshotThread(Inbox, options.WriteBytesPerSecond, NullLogger.Instance);
        Random random = new((int)id);
        core = new RaftCore(
            id, CoreRecovery.Configurations(cluster, null, recovery), new RaftOptions(), recovery.HardState,
            CoreRecovery.TermRuns(recovery), random);
        RaftNode node = new(new NodeParts
        {
            Core = core,
            Wal = wal,
            State = state,
            SnapshotFiles = SnapshotStore.Open(disk, cluster.ClusterId),
            Recovered = recovery.HardState,
            Network = Network,
            Acceptance = new Acceptance(hasPromised: true),
            Address = cluster.Find(id)!.Address,
            Snapshots = options,
            Actions = new NodeActions
            {
                WakeWriter = writer.Wake,
                WakeSegments = segments.Wake,
                RunSnapshot = snapshots.Run,
                ReadEntries = reader.Run,
                Free = snapshots.Free,
                Resume = RequestOwners.Resume,
                HandedOver = static () => { },
                Stop = static () => { },
            },
            FirstNumber = 1,
            RequestTimeout = RequestTimeoutMilliseconds,
            Random = random,
            Logger = NullLogger.Instance,
        });
        loop = new NodeLoop(node, Inbox);
    }

    private const long RequestTimeoutMilliseconds = 5000;

    /// <summary>
    /// Options that keep allocations constant. No segment fills up within a few thousand writes, because a new segment
    /// allocates, mostly file names. The few buffers are all in use soon.
    /// </summary>
    private static WalOptions WalOptions { get; } = new() { SegmentBytes = 32 << 20, CacheBuffers = 2 };

    private static HttpLimits HttpLimits { get; } = new();

    public Inbox Inbox { get; }

    public PipeNetwork Network { get; }

    public HttpFront Front { get; }

    /// <summary>True if the member is the leader. Another thread reads this, so it may be out of date.</summary>
    public bool IsLeader => core.IsLeader;

    public void Start()
    {
        segments.Start();
        writer.Start();
        reader.Start();
        snapshots.Start();
        loop.Start();
    }

    /// <summary>Ends the member. The member's client connections must be closed already.</summary>
    public void Dispose()
    {
        Front.DisposeAsync().AsTask().Wait();
        loop.Dispose();
        Network.End();
        snapshots.Dispose();
        reader.Dispose();
        writer.Dispose();
        segments.Dispose();
        wal.Dispose();
        state.Dispose();
    }
}
