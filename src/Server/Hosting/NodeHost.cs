using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Api;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Logging;
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
using RaftFast.Storage.Store;

namespace RaftFast.Server.Hosting;

/// <summary>One node as a process: makes the node's parts, runs them, and stops them in order.</summary>
internal static partial class NodeHost
{
    /// <summary>
    /// Time from the request to stop, in which unanswered requests of clients are answered. The rest of
    /// <see cref="StopDeadline.StopMax"/> is for the log.
    /// </summary>
    private static readonly TimeSpan StopGrace = StopDeadline.StopMax - TimeSpan.FromMilliseconds(250);

    /// <summary>Time for another member to take over leadership from a leader that stops.</summary>
    private static readonly TimeSpan HandOverGrace = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan CollectionsPeriod = TimeSpan.FromSeconds(10);

    /// <summary>Runs the node until it is asked to stop or is removed.</summary>
    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(ServerOptions options, ILoggerFactory loggers, CancellationToken stop)
    {
        using DataDirectory directory = DataDirectory.Open(options.DataDirectory, options.Disk);
        using LockWatch watch = new(directory.VerifyLock, FatalError.Exit);
        StartProgress start = new(TimeProvider.System);
        PeerAddress? known = options.ClusterIsGiven ? null : directory.ReadIdentity()?.Address;
        PeerAddress own = known ?? options.Address;
        await using ApiServer? api = await ApiDoor.OpenAsync(options, own, start, directory.Path, loggers);
        NodeIdentity? identity = await IdentifyAsync(directory, options, start, loggers, stop);
        if (identity is null)
            return ExitCode.Success;
        await RunMemberAsync(
            directory.Disk, directory.Path, identity, options, api, start, loggers, started: null, stop);
        return ExitCode.Success;
    }

    /// <summary>Runs the node of an opened directory until the node is asked to stop or is removed.</summary>
    /// <param name="api">Serves the start already; null if there is no API.</param>
    /// <param name="start">Is told how far the start is.</param>
    /// <param name="started">Gets the inbox and the core once the node runs, for measurements without HTTP.</param>
    internal static async Task RunMemberAsync(
        IDisk disk, string path, NodeIdentity identity, ServerOptions options, ApiServer? api, StartProgress start,
        ILoggerFactory loggers, Action<Inbox, RaftCore>? started, CancellationToken stop)
    {
        ILogger log = loggers.CreateLogger("node");
        DescriptorBudget descriptors = DescriptorBudget.Of(options);
        HttpLimits clientLimits = descriptors.Bound(options.Clients, log);
        ulong clusterId = identity.Configuration.ClusterId;
        start.Begin("opening the data directory");
        long opened = Stopwatch.GetTimestamp();
        SnapshotStore snapshots = SnapshotStore.Open(disk, clusterId);
        RecoveredState recovered = RecoveredState.Load(snapshots, start, log);
        Watches? watches = options.Api.IsOn
            ? new Watches(
                new ChangeHistory(options.WatchHistory), DescriptorBudget.WatchesMax(DescriptorLimit.Raise()))
            : null;
        using StateMachine state = new(recovered.Store, watches?.History);
        ProgressLine reading = start.BeginLog();
        WalOptions walOptions = new() { BytesRead = (read, all) => reading.Write(log, read, all) };
        using Wal wal = Wal.Open(
            disk, clusterId, identity.MemberId, walOptions, recovered.Position, out WalRecovery recovery);
        bool isNew = StartLogLines.State(log, path, recovered, recovery, Stopwatch.GetElapsedTime(opened));
        ConfigurationHistory configurations =
            CoreRecovery.Configurations(identity.Configuration, recovered.Configuration, recovery);
        RefuseLargerCluster(identity, configurations, options, path);
        identity = identity with { Address = OwnAddress(identity, configurations, options, log) };
        ClusterConfiguration known = configurations.Effective.Cluster;
        if (await FindPeerEndPointAsync(identity.Address, known, options, start, log, stop)
            is not { } peerEndPoint)
        {
            return;
        }
        start.Begin("opening the ports");

        DiskRing? ring = WalWriters.TryOpenRing(
            options.LogIo, disk, options.Transport == TransportKind.Epoll, loggers.CreateLogger("wal"));
        Inbox inbox = new(InboxCapacity(clientLimits));
        ILogger peerLog = loggers.CreateLogger("peer");
        // Any program that reaches the peer port can cause these lines.
        LimitedLogger inboundLog = new(peerLog, TimeProvider.System);
        PeerAdmission admission = new(identity, MetDirectories.Open(disk), TimeProvider.System, inboundLog);
        PeerOptions peers = new()
        {
            SnapshotBytesPerSecond = options.Snapshots.WriteBytesPerSecond,
            HandshakesMax = descriptors.Peers / 4,
        };
        Acceptance acceptance = new(CoreRecovery.HasPromised(recovered, recovery));
        PeerAcceptor acceptor = new(admission, acceptance, snapshots, inbox, inboundLog, peers);
        await using PeerNetwork network = new(
            identity, acceptor, snapshots, inbox, peerLog, peers, acceptance.HasPromised, Environment.ProcessId);
        await using HttpFront front = new(
            inbox.Add, clientLimits, TimeProvider.System, () => inbox.Run(Inbox.SocketThreadBatchesMax),
            ClientAccess.Policy(options, options.Listen),
            new LimitedLogger(loggers.CreateLogger("clients"), TimeProvider.System));
        IPEndPoint clients = new(options.Listen, options.Port);
        await using Listeners listeners = await Listeners.StartAsync(
            clients, front, descriptors.Clients, peerEndPoint, acceptor, descriptors.Peers,
            options.Transport, inbox, loggers);
        ApiDoor.LogOpen(loggers, api);
        network.Announcement = ApiDoor.Announcement(identity, listeners.Http, api?.EndPoint);
        string members = StartLogLines.Describe(known);
        StartLogLines.Started(log, identity.MemberId, listeners.Http, listeners.Peer, members);
        if (isNew)
            StartLogLines.FirstCommand(log, listeners.Http);

        // From now on an exception on a thread ends the process: a node that can't keep its promises sends nothing
        // more.
        using CancellationTokenSource removed = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using StopDeadline deadline = new();
        using LogReadThread reader = new(inbox);
        using SegmentPreparer segments = new(wal, inbox, loggers.CreateLogger("wal"));
        using WalWriter writer = WalWriters.Create(wal, inbox, segments, ring, listeners.FirstThread);
        using SnapshotThread snapshotThread = new(inbox, options.Snapshots.WriteBytesPerSecond, log);
        Random random = new(HashCode.Combine(identity.MemberId, Environment.ProcessId, Stopwatch.GetTimestamp()));
        RaftCore core = new(
            identity.MemberId, configurations, new RaftOptions(), recovery.HardState,
            CoreRecovery.TermRuns(recovery), random, recovered.Position.Index);
        StopRequest stopRequest = new();
        RaftNode node = new(new NodeParts
        {
            Core = core,
            Wal = wal,
            State = state,
            SnapshotFiles = snapshots,
            Recovered = recovery.HardState,
            Network = network,
            Acceptance = acceptance,
            Address = identity.Address,
            StateMax = options.StateMax,
            Idempotency = options.Idempotency,
            Snapshots = options.Snapshots,
            Actions = new NodeActions
            {
                WakeWriter = writer.Wake,
                WakeSegments = segments.Wake,
                RunSnapshot = snapshotThread.Run,
                ReadEntries = reader.Run,
                Free = snapshotThread.Free,
                Resume = RequestOwners.Resume,
                HandedOver = stopRequest.Complete,
                Stop = removed.Cancel,
                WakeWatches = watches is null ? static () => { } : watches.Wake,
                Microseconds = static () => (long)Stopwatch.GetElapsedTime(0).TotalMicroseconds,
            },
            FirstNumber = Random.Shared.NextInt64(1, long.MaxValue / 2),
            RequestTimeout = (long)options.RequestTimeout.TotalMilliseconds,
            Random = random,
            Logger = loggers.CreateLogger("raft"),
        });
        if (options.ClusterIsGiven)
        {
            foreach (Member member in options.Configuration.Members)
                network.Hint(member.Address);
        }
        using NodeLoop loop = new(node, inbox);
        segments.Start();
        writer.Start();
        reader.Start();
        snapshotThread.Start();
        loop.Start();
        ApiNode apiNode = new(inbox, loop)
        {
            Writer = writer,
            Front = front,
            Network = network,
            Acceptor = acceptor,
            RequestTimeout = options.RequestTimeout,
            Announcement = network.Announcement,
            Watches = watches!,
            Backup = new Backup(snapshots, options.Snapshots.WriteBytesPerSecond),
        };
        api?.Attach(apiNode);
        started?.Invoke(inbox, core);
        await WaitForEndAsync(log, removed.Token);
        deadline.Begin(writer.Work, segments.Work, reader.Reading, snapshotThread.Writing);
        if (stop.IsCancellationRequested)
        {
            LogStopping(log);
            inbox.Post(stopRequest);
            await stopRequest.Done.WaitAsync(HandOverGrace, CancellationToken.None)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        TimeSpan grace = StopGrace - deadline.Elapsed;
        grace = grace > TimeSpan.Zero ? grace : TimeSpan.Zero;
        await Task.WhenAll(front.StopAsync(grace), StopApiAsync(api, apiNode, grace));
    }

    /// <summary>
    /// Ends the API's connections once its transactions are answered. Watches would not end by themselves.
    /// </summary>
    private static async Task StopApiAsync(ApiServer? api, ApiNode node, TimeSpan grace)
    {
        if (api is null)
            return;
        await node.Transactions.StopAsync(grace);
        await api.DisposeAsync();
    }

    private static async Task WaitForEndAsync(ILogger log, CancellationToken end)
    {
        if (log.IsEnabled(LogLevel.Debug))
            await LogCollectionsAsync(log, end);
        else
            await Task.Delay(Timeout.InfiniteTimeSpan, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>
    /// Logs garbage collections and allocated bytes every <see cref="CollectionsPeriod"/>, until the end.
    /// </summary>
    private static async Task LogCollectionsAsync(ILogger log, CancellationToken end)
    {
        int collections = GC.CollectionCount(0);
        long allocated = GC.GetTotalAllocatedBytes(precise: true);
        while (!end.IsCancellationRequested)
        {
            await Task.Delay(CollectionsPeriod, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            (int collectionsBefore, long allocatedBefore) = (collections, allocated);
            (collections, allocated) = (GC.CollectionCount(0), GC.GetTotalAllocatedBytes(precise: true));
            LogCollections(log, collections - collectionsBefore, allocated - allocatedBefore);
        }
    }

    /// <summary>Returns the node's identity: from its directory, or from the flags on the first start.</summary>
    /// <returns>
    /// Null if the process was asked to stop first: before the node's own host had an address, or before a member
    /// dialled the joining node.
    /// </returns>
    /// <exception cref="StorageException">The directory is the one of another member.</exception>
    /// <exception cref="ListenException">The node can't listen at its own URL.</exception>
    private static async Task<NodeIdentity?> IdentifyAsync(
        DataDirectory directory, ServerOptions options, StartProgress start, ILoggerFactory loggers,
        CancellationToken stop)
    {
        if (directory.ReadIdentity() is { } known)
        {
            return known.MemberId == options.MemberId ? known : throw new StorageException(
                $"{directory.Path} is the directory of member {known.MemberId}, not of member {options.MemberId}: "
                + $"give --id {known.MemberId}, or another --data-dir");
        }
        ClusterConfiguration configuration = options.Configuration;
        if (options.Joins)
        {
            if (await WaitingRoom.LearnClusterAsync(options, start, loggers, stop) is not { } clusterId)
                return null;
            configuration = new ClusterConfiguration(clusterId, []);
        }
        else if (await FindPeerEndPointAsync(
            options.Address, configuration, options, start, loggers.CreateLogger("node"), stop) is null)
        {
            // Stop before the identity is written: the operator may correct a wrong --cluster, and start again.
            return null;
        }
        ulong directoryId = (ulong)Random.Shared.NextInt64(1, long.MaxValue);
        NodeIdentity identity = new(options.MemberId, options.Address, directoryId, configuration);
        directory.WriteIdentity(identity);
        return identity;
    }

    /// <summary>Finds the address to listen on for peers.</summary>
    /// <param name="own">The node's own URL.</param>
    /// <param name="known">The members, as far as the node knows them.</param>
    /// <returns>Null if the process is asked to stop before the own host has an address.</returns>
    /// <exception cref="ListenException">The node can't listen at its own URL.</exception>
    internal static Task<IPEndPoint?> FindPeerEndPointAsync(
        PeerAddress own, ClusterConfiguration known, ServerOptions options, StartProgress start, ILogger log,
        CancellationToken stop)
    {
        start.Begin($"looking up the host of this node's own URL, {own}");
        ClusterConfiguration cluster = known.Members.Count > 0 ? known : options.Configuration;
        List<string> hosts = [];
        foreach (Member member in cluster.Members)
        {
            // A joining node has other members even if it knows only its own URL.
            if (member.Address != own || !options.Joins)
                hosts.Add(member.Address.Host);
        }
        return new PeerEndPoint(HostName.Resolve, options.PeerListen, TimeProvider.System, log)
            .FindAsync(own, hosts, stop);
    }

    /// <summary>
    /// Refuses to make a larger cluster of a directory that was founded as a cluster of one and holds no other
    /// configuration. A cluster that came down to one member by DELETE has another configuration, and starts.
    /// </summary>
    private static void RefuseLargerCluster(
        NodeIdentity identity, ConfigurationHistory configurations, ServerOptions options, string path)
    {
        bool isFoundedAlone = identity.Configuration.Members.Count == 1 && configurations.EffectiveIndex == 0;
        if (!isFoundedAlone || !options.ClusterIsGiven || options.Joins || options.Configuration.Members.Count == 1)
            return;
        throw new OperatingException(
            $"{path} was founded as a cluster of one, and --cluster names "
            + $"{options.Configuration.Members.Count} members: two clusters would acknowledge the same keys. "
            + "Start without the other URLs and add the others with POST /<id>, or give an empty --data-dir");
    }

    /// <summary>
    /// Returns the node's own address: the flag's, else the persisted one. The addresses of the other members come only
    /// from the log. A node may change its own address, which the leader then tells the other members.
    /// </summary>
    private static PeerAddress OwnAddress(
        NodeIdentity identity, ConfigurationHistory configurations, ServerOptions options, ILogger log)
    {
        ClusterConfiguration cluster = configurations.Effective.Cluster;
        PeerAddress persisted = cluster.Find(identity.MemberId)?.Address ?? identity.Address;
        if (!options.ClusterIsGiven)
            return persisted;
        if (options.Address != persisted)
            StartLogLines.Moved(log, options.Address, persisted);
        foreach (Member given in options.Configuration.Members)
        {
            if (given.Id != identity.MemberId && !options.Joins && cluster.Find(given.Id)?.Address != given.Address)
            {
                StartLogLines.ClusterFlagIgnored(
                    log, StartLogLines.Describe(options.Configuration), StartLogLines.Describe(cluster));
                break;
            }
        }
        return options.Address;
    }

    /// <summary>
    /// Items that can wait in the inbox at once: the requests of all clients, the items of all peers and of the API,
    /// the reads for followers, and five single items. The single items are the log's writer, its next segment, a
    /// snapshot taken, a snapshot received, and a request to stop.
    /// </summary>
    private static int InboxCapacity(HttpLimits clients) =>
        clients.RequestsMax
        + PeerOptions.PeersMax * PeerOptions.InboxItemsPerPeer
        + ApiNode.InboxItems
        + FollowerReads.CountMax
        + 5;

    [LoggerMessage(LogLevel.Information, "stopping: answering the requests that wait, then sealing the log")]
    private static partial void LogStopping(ILogger log);

    [LoggerMessage(LogLevel.Debug, "in the last 10 s: {Collections} garbage collections, {Bytes} bytes allocated")]
    private static partial void LogCollections(ILogger log, int collections, long bytes);
}
