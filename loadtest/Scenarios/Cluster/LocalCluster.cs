using System.Diagnostics;
using System.Net;
using System.Text;

namespace RaftFast.LoadTest.Scenarios.Cluster;

/// <summary>
/// Three members on free ports of this machine, with their data in a temporary directory. Disposing ends the processes
/// and deletes the data.
/// </summary>
public sealed class LocalCluster : IDisposable
{
    private const int Count = 3;

    private static readonly TimeSpan ReadyTimeout = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan LookInterval = TimeSpan.FromMilliseconds(20);

    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("raftfast-load-");
    private readonly Member[] members = new Member[Count];

    private LocalCluster(string binary, IReadOnlyList<string> flags)
    {
        int[] peerPorts = new int[Count];
        for (int i = 0; i < Count; i++)
            peerPorts[i] = FreePorts.Take();
        string urls = string.Join(',', peerPorts.Select(port => $"http://127.0.0.1:{port}"));
        for (int i = 0; i < Count; i++)
        {
            IPEndPoint http = new(IPAddress.Loopback, FreePorts.Take());
            string data = Path.Combine(directory.FullName, $"{i + 1}");
            string[] arguments =
                ["--id", $"{i + 1}", "--cluster", urls, "--port", $"{http.Port}", "--data-dir", data, .. flags];
            members[i] = new Member(i + 1, http, binary, arguments);
        }
    }

    public IReadOnlyList<Member> Members => members;

    public IReadOnlyList<IPEndPoint> HttpPorts => [.. members.Select(member => member.Http)];

    /// <summary>
    /// The running member that became leader last, according to the logs; null if no log says so yet.
    /// </summary>
    public Member? Leader
    {
        get
        {
            Member last = members.MaxBy(member => member.TermLed)!;
            return last.Runs && last.TermLed > 0 ? last : null;
        }
    }

    /// <summary>Starts a cluster, and returns when every member answers reads.</summary>
    /// <exception cref="ClusterException">A member doesn't answer in time.</exception>
    public static async Task<LocalCluster> StartAsync(
        string binary, IReadOnlyList<string> flags, CancellationToken cancellation)
    {
        LocalCluster cluster = new(binary, flags);
        try
        {
            foreach (Member member in cluster.members)
                member.Start();
            foreach (Member member in cluster.members)
                await WaitUntilReadyAsync(member, cancellation);
            await cluster.WaitForLeaderAsync(cancellation);
            return cluster;
        }
        catch
        {
            cluster.Dispose();
            throw;
        }
    }

    /// <exception cref="ClusterException">No member became leader in time.</exception>
    public async Task<Member> WaitForLeaderAsync(CancellationToken cancellation)
    {
        long begun = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begun) < ReadyTimeout)
        {
            if (Leader is { } leader)
                return leader;
            await Task.Delay(LookInterval, cancellation);
        }
        throw new ClusterException($"no member became leader within {ReadyTimeout.TotalSeconds} s");
    }

    public void Dispose()
    {
        foreach (Member member in members)
            member.Dispose();
        directory.Delete(recursive: true);
    }

    private static async Task WaitUntilReadyAsync(Member member, CancellationToken cancellation)
    {
        byte[] get = Encoding.ASCII.GetBytes("GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n");
        using Connection connection = new(new Target([member.Http], TimeSpan.FromSeconds(2)), 0);
        long begun = Stopwatch.GetTimestamp();
        Response response = default;
        while (Stopwatch.GetElapsedTime(begun) < ReadyTimeout)
        {
            member.CheckRuns();
            response = await connection.ExchangeAsync(get);
            if (response.Status is "200" or "404")
                return;
            await Task.Delay(LookInterval, cancellation);
        }
        throw new ClusterException(
            $"member {member.Id} is not ready within {ReadyTimeout.TotalSeconds} s: GET answers {response.Status}");
    }
}
