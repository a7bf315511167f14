using System.Diagnostics;
using System.Net;
using DotNext.Net.Cluster.Consensus.Raft;
using DotNext.Net.Cluster.Consensus.Raft.Membership;
using DotNext.Net.Cluster.Consensus.Raft.StateMachine;

namespace RaftFast.Engine;

/// <summary>
/// A cluster of nodes of DotNext.Net.Cluster in this process, with the library's TCP transport and WriteAheadLog.
/// <para>
/// Meaning of an acknowledgement of version 6.12: ReplicateAsync returns once the leader has applied the entry. The
/// leader commits and applies an entry only after it has flushed its own log up to that entry (FlushOnCommit "is always
/// true"). A follower answers an append once the entries are in its memory, and flushes up to the commit index in the
/// append. So the answers that form the majority promise nothing about a power loss. RaftFast's followers answer after
/// their write.
/// </para>
/// <para>
/// The log is set up to flush as RaftFast writes, with O_DIRECT and O_DSYNC (PrivateMemory, NoBuffering) and a checksum
/// for each entry. The state machine does nothing, while RaftFast's keeps a store of keys.
/// </para>
/// </summary>
internal sealed class DotNextCluster : ILoadTarget
{
    public const string Meaning =
        "DotNext acknowledges an entry that the leader has flushed and followers have in memory; "
        + "followers flush it after its commit. RaftFast acknowledges an entry that a majority has on stable storage.";

    /// <summary>
    /// Size of a log file, like RaftFast's segments. The default, a page, would make a file for every 4 KiB.
    /// </summary>
    private const int ChunkBytes = 16 << 20;

    /// <summary>Number of entries after which the log may drop old ones. A few hundred megabytes stay.</summary>
    private const long SnapshotEntries = 1_000_000;

    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    private readonly List<RaftCluster> nodes = [];
    private readonly List<WriteAheadLog> logs = [];
    private readonly byte[] payload;
    private RaftCluster? leader;

    private DotNextCluster(int payloadBytes) => payload = new byte[payloadBytes];

    public LogWrites? Writes => null;

    public static async Task<DotNextCluster> StartAsync(
        IReadOnlyList<IPEndPoint> addresses, string directory, int payloadBytes)
    {
        DotNextCluster cluster = new(payloadBytes);
        try
        {
            foreach (IPEndPoint address in addresses)
                await cluster.StartNodeAsync(address, addresses, Path.Combine(directory, $"{address.Port}"));
            cluster.leader = await cluster.LeaderAsync();
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public void Start(LoadRun run)
    {
        for (int i = 0; i < run.Initial; i++)
            _ = Task.Run(() => WriteAsync(run));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (RaftCluster node in nodes)
        {
            await node.StopAsync(CancellationToken.None);
            await node.DisposeAsync();
        }
        foreach (WriteAheadLog log in logs)
            await log.DisposeAsync();
    }

    private async Task StartNodeAsync(IPEndPoint address, IReadOnlyList<IPEndPoint> addresses, string directory)
    {
        RaftCluster.TcpConfiguration configuration = new(address)
        {
            // The same times as RaftFast's: an election after 400 to 800 ms, heartbeats every 50 ms.
            LowerElectionTimeout = 400,
            UpperElectionTimeout = 800,
            HeartbeatThreshold = 0.125,
            RequestTimeout = TimeSpan.FromSeconds(5),
            TransmissionBlockSize = 65535,
            ColdStart = false,
            ConfigurationStorage = null!,
        };
        InMemoryClusterConfigurationStorage<EndPoint> storage =
            (InMemoryClusterConfigurationStorage<EndPoint>)configuration.ConfigurationStorage;
        InMemoryClusterConfigurationStorage<EndPoint>.Builder members = storage.CreateInitialConfigurationBuilder();
        foreach (IPEndPoint member in addresses)
            members.Add(member);
        members.Build();
        WriteAheadLog log = new(
            new WriteAheadLog.Options
            {
                Location = directory,
                ChunkSize = ChunkBytes,
                MemoryManagement = WriteAheadLog.MemoryManagementStrategy.PrivateMemory,
                NoBuffering = true,
                HashAlgorithm = WriteAheadLog.IntegrityHashAlgorithm.Crc32,
            },
            IStateMachine.CreateNoOp(SnapshotEntries));
        logs.Add(log);
        RaftCluster node = new(configuration) { AuditTrail = log };
        nodes.Add(node);
        await node.StartAsync(CancellationToken.None);
    }

    private async Task<RaftCluster> LeaderAsync()
    {
        long begun = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begun) < StartTimeout)
        {
            foreach (RaftCluster node in nodes)
            {
                if (!node.LeadershipToken.IsCancellationRequested)
                    return node;
            }
            await Task.Delay(10);
        }
        throw new TimeoutException("no node became leader");
    }

    private async Task WriteAsync(LoadRun run)
    {
        bool continues;
        do
        {
            long submitted = Stopwatch.GetTimestamp();
            bool isCommitted = await TryReplicateAsync();
            long nanoseconds = Stopwatch.GetTimestamp() - submitted;
            lock (run)
                continues = run.Complete(isCommitted, nanoseconds);
        }
        while (continues);
    }

    private async Task<bool> TryReplicateAsync()
    {
        try
        {
            await leader!.ReplicateAsync(payload, context: null, CancellationToken.None);
            return true;
        }
        catch (InvalidOperationException)
        {
            // The node is no longer the leader. Find the new leader before the next attempt.
            leader = await LeaderAsync();
            return false;
        }
    }
}
