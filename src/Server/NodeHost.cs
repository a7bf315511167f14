using System.Diagnostics;
using System.Globalization;
using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Peers;
using RaftFast.Storage;

namespace RaftFast.Server;

/// <summary>One member of a cluster as a process: puts its parts together, runs them, and takes them down in order.</summary>
internal static partial class NodeHost
{
    private static readonly HttpLimits HttpLimits = new();

    /// <summary>How long answers may take that are still owed when the process is asked to stop.</summary>
    private static readonly TimeSpan StopGrace = TimeSpan.FromSeconds(2);

    /// <returns>The process's exit code.</returns>
    public static async Task<int> RunAsync(ServerOptions options, ILoggerFactory loggers, CancellationToken stop)
    {
        ILogger log = loggers.CreateLogger("node");
        using DataDirectory directory = DataDirectory.Open(options.DataDirectory, options.Disk);
        NodeIdentity identity = Identify(directory, options, log);
        ClusterConfiguration configuration = identity.Configuration;
        long opened = Stopwatch.GetTimestamp();
        using Wal wal = Wal.Open(directory.Disk, configuration.ClusterId, identity.MemberId, new WalOptions(), out WalRecovery recovery);
        LogRecovery(log, directory.Path, recovery, Stopwatch.GetElapsedTime(opened));

        Inbox inbox = new(InboxCapacity(configuration));
        await using PeerNetwork network = new(
            identity.MemberId, configuration, inbox, loggers.CreateLogger("peer"), new PeerOptions(), Environment.ProcessId);
        await using HttpFront front = new(inbox.Post, HttpLimits, TimeProvider.System);
        PeerAcceptor acceptor = new(identity.MemberId, configuration, inbox, loggers.CreateLogger("peer"), new PeerOptions());
        IPEndPoint peer = PeerEndPoint.Of(configuration.Find(identity.MemberId)!.Address, log);
        await using Listeners listeners = await Listeners.StartAsync(
            new IPEndPoint(options.Listen, options.Port), front, peer, acceptor, loggers);
        LogStarted(log, identity.MemberId, listeners.Http, listeners.Peer, string.Join(", ", Urls(configuration)));

        // From here on an exception on a thread ends the process: a member that can't keep its promises says nothing more.
        using SegmentPreparer segments = new(wal, loggers.CreateLogger("wal"));
        using WalWriter writer = new(wal, inbox, segments);
        RaftNode node = CreateNode(identity, wal, recovery, network, writer, options, loggers.CreateLogger("raft"));
        using NodeLoop loop = new(node, inbox);
        segments.Start();
        writer.Start();
        loop.Start();
        network.Start();
        await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        LogStopping(log);
        await front.StopAsync(StopGrace);
        return ExitCode.Success;
    }

    /// <summary>Who this member is: what its directory says, or, on its first start, what the flags say.</summary>
    private static NodeIdentity Identify(DataDirectory directory, ServerOptions options, ILogger log)
    {
        NodeIdentity asked = new(options.MemberId, options.Configuration);
        if (directory.ReadIdentity() is not { } identity)
        {
            directory.WriteIdentity(asked);
            return asked;
        }
        if (identity.MemberId != asked.MemberId)
        {
            throw new StorageException(
                $"{directory.Path} is the directory of member {identity.MemberId}, not of member {asked.MemberId}: give that id with --id, or another --data-dir");
        }
        string persisted = string.Join(',', Urls(identity.Configuration));
        string given = string.Join(',', Urls(asked.Configuration));
        if (persisted != given)
            LogClusterFlagIgnored(log, given, persisted);
        return identity;
    }

    private static RaftNode CreateNode(
        NodeIdentity identity, Wal wal, WalRecovery recovery, PeerNetwork network, WalWriter writer, ServerOptions options, ILogger log)
    {
        ulong[] voters = new ulong[identity.Configuration.Members.Count];
        for (int i = 0; i < voters.Length; i++)
            voters[i] = identity.Configuration.Members[i].Id;
        TermRuns runs = new();
        for (int i = 0; i < recovery.TermRuns.Count; i++)
        {
            long last = i + 1 < recovery.TermRuns.Count ? recovery.TermRuns[i + 1].Index - 1 : recovery.Last.Index;
            runs.AppendRun(recovery.TermRuns[i], last);
        }
        int seed = HashCode.Combine(identity.MemberId, Environment.ProcessId, Stopwatch.GetTimestamp());
        RaftCore core = new(
            identity.MemberId, new ConfigurationState(voters), new RaftOptions(), recovery.HardState, runs, new Random(seed));
        return new RaftNode(
            core, wal, new KeyValueStore(), recovery.HardState, network, writer.Wake,
            Random.Shared.NextInt64(1, long.MaxValue / 2), (long)options.RequestTimeout.TotalMilliseconds, log);
    }

    /// <summary>All that can wait there at once: every client's requests, every member's items, the log's writer.</summary>
    private static int InboxCapacity(ClusterConfiguration configuration) =>
        HttpLimits.ConnectionsMax * HttpLimits.PipelineDepthMax
        + configuration.Members.Count * PeerOptions.InboxItemsPerPeer
        + 1;

    private static string[] Urls(ClusterConfiguration configuration)
    {
        string[] urls = new string[configuration.Members.Count];
        for (int i = 0; i < urls.Length; i++)
            urls[i] = configuration.Members[i].Address.ToString();
        return urls;
    }

    private static void LogRecovery(ILogger log, string path, WalRecovery recovery, TimeSpan elapsed)
    {
        if (recovery.TornTail is not null)
            LogTornTail(log, recovery.TornTail);
        string bytes = (recovery.Bytes / 1e6).ToString("F1", CultureInfo.InvariantCulture);
        LogRecovered(log, path, recovery.HardState.Term, recovery.Last.Index, bytes, recovery.Segments, (long)elapsed.TotalMilliseconds);
    }

    [LoggerMessage(LogLevel.Information, "data directory {Path}: recovered term {Term}, log up to index {Index}, {Megabytes} MB in {Segments} segments, in {Milliseconds} ms")]
    private static partial void LogRecovered(ILogger log, string path, long term, long index, string megabytes, int segments, long milliseconds);

    [LoggerMessage(LogLevel.Warning, "{TornTail}")]
    private static partial void LogTornTail(ILogger log, string tornTail);

    [LoggerMessage(LogLevel.Information, "member {Id} listens for clients on {Http}, for the other members on {Peer}; members: {Members}")]
    private static partial void LogStarted(ILogger log, ulong id, IPEndPoint http, IPEndPoint peer, string members);

    [LoggerMessage(LogLevel.Warning, "--cluster says {Given}, but this member's directory says {Persisted}: the directory's word holds")]
    private static partial void LogClusterFlagIgnored(ILogger log, string given, string persisted);

    [LoggerMessage(LogLevel.Information, "stopping: answering what is owed, then sealing the log")]
    private static partial void LogStopping(ILogger log);
}
