using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Loop;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Inbound;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Recovery;
using RaftFast.Server.Sockets;
using RaftFast.Server.Threads;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Hosting;

/// <summary>One member of a cluster as a process: puts its parts together, runs them, and takes them down in order.</summary>
internal static partial class NodeHost
{
    private static readonly HttpLimits HttpLimits = new();

    /// <summary>How long answers may take that are still owed when the process is asked to stop.</summary>
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(2);

    /// <summary>How long another member may take to lead instead of one that stops.</summary>
    private static readonly TimeSpan HandOverGrace = TimeSpan.FromSeconds(1);

    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(ServerOptions options, ILoggerFactory loggers, CancellationToken stop)
    {
        using DataDirectory directory = DataDirectory.Open(options.DataDirectory, options.Disk);
        NodeIdentity? identity = await IdentifyAsync(directory, options, loggers, stop);
        if (identity is null)
            return ExitCode.Success;
        await RunMemberAsync(directory.Disk, directory.Path, identity, options, loggers, started: null, stop);
        return ExitCode.Success;
    }

    /// <summary>The member of an opened directory, until it is asked to stop or was removed.</summary>
    /// <param name="started">Is given its inbox and its core once it runs, for who measures it without HTTP.</param>
    internal static async Task RunMemberAsync(
        IDisk disk, string path, NodeIdentity identity, ServerOptions options, ILoggerFactory loggers, Action<Inbox, RaftCore>? started,
        CancellationToken stop)
    {
        ILogger log = loggers.CreateLogger("node");
        ulong clusterId = identity.Configuration.ClusterId;
        long opened = Stopwatch.GetTimestamp();
        SnapshotStore snapshots = SnapshotStore.Open(disk, clusterId);
        RecoveredState recovered = RecoveredState.Load(snapshots, log);
        using StateMachine state = new(recovered.Store);
        using Wal wal = Wal.Open(disk, clusterId, identity.MemberId, new WalOptions(), recovered.Position, out WalRecovery recovery);
        LogRecovery(log, path, recovered, recovery, Stopwatch.GetElapsedTime(opened));
        ConfigurationHistory configurations = CoreRecovery.Configurations(identity.Configuration, recovered.Configuration, recovery);
        identity = identity with { Address = OwnAddress(identity, configurations, options, log) };

        Inbox inbox = new(InboxCapacity);
        ILogger peerLog = loggers.CreateLogger("peer");
        PeerAdmission admission = new(identity, MetDirectories.Open(disk), peerLog);
        PeerOptions peers = new() { SnapshotBytesPerSecond = options.Snapshots.WriteBytesPerSecond };
        PeerAcceptor acceptor = new(admission, snapshots, inbox, peerLog, peers);
        await using PeerNetwork network = new(identity, acceptor, snapshots, inbox, peerLog, peers, Environment.ProcessId);
        await using HttpFront front = new(inbox.Add, HttpLimits, TimeProvider.System, () => inbox.Run(Inbox.SocketThreadBatchesMax));
        await using Listeners listeners = await Listeners.StartAsync(
            new IPEndPoint(options.Listen, options.Port), front, PeerEndPoint.Of(identity.Address, log), acceptor, loggers);
        LogStarted(log, identity.MemberId, listeners.Http, listeners.Peer, Describe(configurations.Effective.Cluster));

        // From here on an exception on a thread ends the process: a member that can't keep its promises says nothing more.
        using CancellationTokenSource removed = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using SegmentPreparer segments = new(wal, loggers.CreateLogger("wal"));
        using WalWriter writer = new(wal, inbox, segments);
        using SnapshotThread snapshotThread = new(inbox, options.Snapshots.WriteBytesPerSecond);
        Random random = new(HashCode.Combine(identity.MemberId, Environment.ProcessId, Stopwatch.GetTimestamp()));
        RaftCore core = new(
            identity.MemberId, configurations, new RaftOptions(), recovery.HardState, CoreRecovery.TermRuns(recovery), random, recovered.Position.Index);
        StopRequest stopRequest = new();
        RaftNode node = new(new NodeParts
        {
            Core = core,
            Wal = wal,
            State = state,
            SnapshotFiles = snapshots,
            Recovered = recovery.HardState,
            Network = network,
            Address = identity.Address,
            Snapshots = options.Snapshots,
            Actions = new NodeActions
            {
                WakeWriter = writer.Wake,
                WakeSegments = segments.Wake,
                RunSnapshot = snapshotThread.Run,
                Resume = RequestOwners.Resume,
                HandedOver = stopRequest.Complete,
                Stop = removed.Cancel,
            },
            FirstNumber = Random.Shared.NextInt64(1, long.MaxValue / 2),
            RequestTimeout = (long)options.RequestTimeout.TotalMilliseconds,
            Random = random,
            Logger = loggers.CreateLogger("raft"),
        });
        using NodeLoop loop = new(node, inbox);
        segments.Start();
        writer.Start();
        snapshotThread.Start();
        loop.Start();
        started?.Invoke(inbox, core);
        await WatchCollectionsAsync(log, removed.Token);
        if (stop.IsCancellationRequested)
        {
            LogStopping(log);
            inbox.Post(stopRequest);
            await stopRequest.Done.WaitAsync(HandOverGrace, CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        await front.StopAsync(StopGrace);
    }

    /// <summary>Until the end; whoever wants to know is told now and then what was allocated since.</summary>
    private static async Task WatchCollectionsAsync(ILogger log, CancellationToken end)
    {
        TimeSpan period = log.IsEnabled(LogLevel.Debug) ? TimeSpan.FromSeconds(10) : Timeout.InfiniteTimeSpan;
        int collections = GC.CollectionCount(0);
        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        while (!end.IsCancellationRequested)
        {
            await Task.Delay(period, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            (int collectionsBefore, long allocatedBefore) = (collections, allocated);
            (collections, allocated) = (GC.CollectionCount(0), GC.GetTotalAllocatedBytes(precise: true));
            LogCollections(log, collections - collectionsBefore, allocated - allocatedBefore);
        }
    }

    /// <summary>Who this member is: what its directory says, or, on its first start, what the flags say.</summary>
    /// <returns>Null when the process was asked to stop before the cluster that it joins had been heard of.</returns>
    /// <exception cref="StorageException">The directory is another member's.</exception>
    private static async Task<NodeIdentity?> IdentifyAsync(
        DataDirectory directory, ServerOptions options, ILoggerFactory loggers, CancellationToken stop)
    {
        if (directory.ReadIdentity() is { } known)
        {
            return known.MemberId == options.MemberId ? known : throw new StorageException(
                $"{directory.Path} is the directory of member {known.MemberId}, not of member {options.MemberId}: give that id with --id, or another --data-dir");
        }
        ClusterConfiguration configuration = options.Configuration;
        if (options.Joins)
        {
            if (await WaitingRoom.LearnClusterAsync(options, loggers, stop) is not { } clusterId)
                return null;
            configuration = new ClusterConfiguration(clusterId, []);
        }
        NodeIdentity identity = new(options.MemberId, options.Address, (ulong)Random.Shared.NextInt64(1, long.MaxValue), configuration);
        directory.WriteIdentity(identity);
        return identity;
    }

    /// <summary>The others' addresses are the log's business; its own a member may change, and the leader makes it known.</summary>
    private static PeerAddress OwnAddress(
        NodeIdentity identity, ConfigurationHistory configurations, ServerOptions options, ILogger log)
    {
        ClusterConfiguration cluster = configurations.Effective.Cluster;
        PeerAddress persisted = cluster.Find(identity.MemberId)?.Address ?? identity.Address;
        if (!options.ClusterIsGiven)
            return persisted;
        if (options.Address != persisted)
            LogMoved(log, options.Address, persisted);
        foreach (Member given in options.Configuration.Members)
        {
            if (given.Id != identity.MemberId && !options.Joins && cluster.Find(given.Id)?.Address != given.Address)
            {
                LogClusterFlagIgnored(log, Describe(options.Configuration), Describe(cluster));
                break;
            }
        }
        return options.Address;
    }

    /// <summary>All that can wait there at once: every client's requests, every member's items, the log's writer, a snapshot taken, one received, a request to stop.</summary>
    private static int InboxCapacity =>
        HttpLimits.ConnectionsMax * HttpLimits.PipelineDepthMax + PeerOptions.PeersMax * PeerOptions.InboxItemsPerPeer + 4;

    private static string Describe(ClusterConfiguration cluster)
    {
        List<string> members = [];
        foreach (Member member in cluster.Members)
            members.Add(member.Role == MemberRole.Voter ? $"{member.Id} at {member.Address}" : $"{member.Id} at {member.Address} (no voter)");
        return members.Count == 0 ? "none known yet" : string.Join(", ", members);
    }

    private static void LogRecovery(ILogger log, string path, RecoveredState recovered, WalRecovery recovery, TimeSpan elapsed)
    {
        if (recovery.TornTail is not null)
            LogTornTail(log, recovery.TornTail);
        string bytes = (recovery.Bytes / 1e6).ToString("F1", CultureInfo.InvariantCulture);
        LogRecovered(log, path, recovered.Position.Index, recovered.Store.Count, recovery.HardState.Term, recovery.Last.Index, bytes, recovery.Segments, (long)elapsed.TotalMilliseconds);
    }

    [LoggerMessage(LogLevel.Information, "data directory {Path}: recovered a snapshot up to entry {Snapshot} with {Keys} keys, term {Term}, log up to index {Index}, {Megabytes} MB in {Segments} segments, in {Milliseconds} ms")]
    private static partial void LogRecovered(ILogger log, string path, long snapshot, long keys, long term, long index, string megabytes, int segments, long milliseconds);

    [LoggerMessage(LogLevel.Warning, "{TornTail}")]
    private static partial void LogTornTail(ILogger log, string tornTail);

    [LoggerMessage(LogLevel.Information, "member {Id} listens for clients on {Http}, for the other members on {Peer}; members: {Members}")]
    private static partial void LogStarted(ILogger log, ulong id, IPEndPoint http, IPEndPoint peer, string members);

    [LoggerMessage(LogLevel.Information, "this member listens at {Address} from now on, no longer at {Former}: the others are told")]
    private static partial void LogMoved(ILogger log, PeerAddress address, PeerAddress former);

    [LoggerMessage(LogLevel.Warning, "--cluster says {Given}, but this member's directory says {Persisted}: the directory's word holds")]
    private static partial void LogClusterFlagIgnored(ILogger log, string given, string persisted);

    [LoggerMessage(LogLevel.Information, "stopping: answering what is owed, then sealing the log")]
    private static partial void LogStopping(ILogger log);

    [LoggerMessage(LogLevel.Debug, "in the last 10 s {Collections} collections, {Bytes} bytes allocated")]
    private static partial void LogCollections(ILogger log, int collections, long bytes);
}
