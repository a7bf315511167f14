using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Hosting;
using RaftFast.Server.Logging;
using RaftFast.Server.Loop;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Recovery;
using RaftFast.Server.Sockets;
using RaftFast.Server.Threads;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;

namespace RaftFast.Engine;

/// <summary>
/// The members of a cluster in one process. Each member has its loop, its log in its own directory, and connections to
/// the other members. The load goes directly into the leader's inbox, without HTTP.
/// </summary>
internal sealed class Cluster : ILoadTarget
{
    private static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource stop = new();
    private readonly LogFactory loggers = new(LineWriter.StandardError, LogLevel.Error);
    private readonly CountingDisk[] disks;
    private readonly Task[] members;
    private readonly Workload workload;
    private Client[] clients = [];

    private Cluster(int memberCount, Workload workload)
    {
        this.workload = workload;
        disks = new CountingDisk[memberCount];
        members = new Task[memberCount];
    }

    public LogWrites? Writes
    {
        get
        {
            LogWrites all = default;
            foreach (CountingDisk disk in disks)
                all += disk.Writes;
            return all;
        }
    }

    public static async Task<Cluster> StartAsync(int memberCount, string directory, Workload workload)
    {
        Cluster cluster = new(memberCount, workload);
        try
        {
            Inbox leader = await cluster.StartMembersAsync(directory);
            byte[][] keys = Client.Keys(workload.Keys);
            cluster.clients = new Client[workload.Clients];
            for (int i = 0; i < workload.Clients; i++)
                cluster.clients[i] = new Client(i, workload, keys, leader);
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
        int left = run.Initial;
        foreach (Client client in clients)
        {
            int count = Math.Min(left, workload.Outstanding);
            client.Start(run, count);
            left -= count;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        foreach (Task member in members)
            await (member ?? Task.CompletedTask);
        stop.Dispose();
        loggers.Dispose();
    }

    /// <returns>The leader's inbox.</returns>
    private async Task<Inbox> StartMembersAsync(string directory)
    {
        IPEndPoint[] endPoints = Loopback.FreeEndPoints(members.Length);
        PeerAddress[] addresses = [.. endPoints.Select(each => new PeerAddress($"{each.Address}", each.Port))];
        ClusterConfiguration configuration = ClusterConfiguration.Bootstrap(addresses);
        Task<(Inbox Inbox, RaftCore Core)>[] started = new Task<(Inbox, RaftCore)>[members.Length];
        for (int i = 0; i < started.Length; i++)
        {
            TaskCompletionSource<(Inbox, RaftCore)> source = new();
            started[i] = source.Task;
            int member = i;
            string path = Path.Combine(directory, $"{member + 1}");
            members[i] = Task.Run(() => RunAsync(
                member, path, configuration, (inbox, core) => source.SetResult((inbox, core))));
        }
        await Task.WhenAny(Task.WhenAll(started), Task.WhenAny(members)).WaitAsync(StartTimeout);
        foreach (Task member in members)
        {
            if (member.IsCompleted)
                await member;
        }
        long begun = Stopwatch.GetTimestamp();
        while (true)
        {
            foreach (Task<(Inbox Inbox, RaftCore Core)> member in started)
            {
                // This thread is not the loop, so the value may be out of date. If another member becomes the leader
                // later, the load is forwarded to that member.
                if (member.Result.Core.IsLeader)
                    return member.Result.Inbox;
            }
            if (Stopwatch.GetElapsedTime(begun) > StartTimeout)
                throw new TimeoutException("no member became leader");
            await Task.Delay(1);
        }
    }

    private async Task RunAsync(
        int member, string path, ClusterConfiguration configuration, Action<Inbox, RaftCore> started)
    {
        using DataDirectory directory = DataDirectory.Open(path, DiskWriteMode.Direct);
        disks[member] = new CountingDisk(directory.Disk);
        Member self = configuration.Members[member];
        NodeIdentity identity = new(self.Id, self.Address, self.Id, configuration);
        directory.WriteIdentity(identity);
        ServerOptions options = new()
        {
            MemberId = self.Id,
            Joins = false,
            Configuration = configuration,
            ClusterIsGiven = true,
            Address = self.Address,
            Listen = IPAddress.Loopback,
            Port = 0,
            DataDirectory = path,
            RequestTimeout = TimeSpan.FromSeconds(10),
            Clients = new HttpLimits(),
            StateMax = long.MaxValue,
            Snapshots = new SnapshotOptions(),
            LogLevel = LogLevel.Error,
            Disk = DiskWriteMode.Direct,
            Transport = TransportKind.Sockets,
            LogIo = LogIo.Thread,
        };
        await NodeHost.RunMemberAsync(
            disks[member], path, identity, options, api: null, new StartProgress(TimeProvider.System), loggers, started,
            stop.Token);
    }
}
