using System.Globalization;
using RaftFast.EndToEnd.Tests.Kit;
using RaftFast.Linearizability;

namespace RaftFast.EndToEnd.Tests.Torture;

/// <summary>
/// Kills and stops real processes at random under load, and checks the histories of their clients for linearizability.
/// Takes half a minute, or the time that RAFTFAST_TORTURE_SECONDS gives (scripts/torture).
/// </summary>
[Collection(nameof(Alone))]
public sealed class TortureTests
{
    private const int Clients = 10;
    private const int Keys = 10;

    /// <summary>
    /// Time after which the history is checked, and a new one begins with empty data directories. The check of a short
    /// history is quick.
    /// </summary>
    private static readonly TimeSpan Chapter = TimeSpan.FromSeconds(10);

    private static TimeSpan Duration =>
        int.TryParse(
            Environment.GetEnvironmentVariable("RAFTFAST_TORTURE_SECONDS"), CultureInfo.InvariantCulture,
            out int seconds)
            ? TimeSpan.FromSeconds(seconds)
            : TimeSpan.FromSeconds(30);

    [Fact]
    public void Every_history_of_a_tortured_cluster_is_linearizable()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        using Cluster cluster = Cluster.Start(3);
        long begun = Environment.TickCount64;
        while (Environment.TickCount64 - begun < Duration.TotalMilliseconds)
        {
            History history = new();
            int answered = RunChapter(cluster, history, random);
            CheckResult result = LinearizabilityChecker.Check(history.Snapshot());
            Assert.True(result.Linearizable, $"seed {seed}: {result}\n{cluster}");
            Assert.True(answered > 1000, $"only {answered} requests were answered\n{cluster}");
        }
    }

    private static int RunChapter(Cluster cluster, History history, Random random)
    {
        // Clients read keys before they write them: a value of an earlier chapter would be a phantom in this one.
        cluster.KillAll();
        foreach (ClusterNode node in cluster.Nodes)
        {
            Directory.Delete(node.DataDirectory, recursive: true);
            node.Restart();
        }
        cluster.WaitUntilReady();
        TortureClient[] clients = [.. Enumerable.Range(0, Clients).Select(
            i => new TortureClient(i, cluster.Nodes, history, Keys))];
        long begun = Environment.TickCount64;
        while (Environment.TickCount64 - begun < Chapter.TotalMilliseconds)
            Torture(cluster, random);
        foreach (TortureClient client in clients)
            client.Dispose();
        Assert.All(clients, client => Assert.Null(client.Violation));
        return clients.Sum(client => client.Answered);
    }

    /// <summary>Kills or pauses one member, most often the leader, and then restarts or resumes it.</summary>
    private static void Torture(Cluster cluster, Random random)
    {
        ClusterNode victim = random.Next(3) > 0 && cluster.Leader is { } leader
            ? leader
            : cluster.Nodes[random.Next(cluster.Nodes.Count)];
        int pause = random.Next(100, 1500);
        if (random.Next(2) == 0)
        {
            victim.Kill();
            Wait(pause / 3);
            victim.Restart();
        }
        else
        {
            victim.Process.Pause();
            Wait(pause);
            victim.Process.Resume();
        }
        Wait(random.Next(100, 1500));
    }

    private static void Wait(int milliseconds)
    {
        long begun = Environment.TickCount64;
        Eventually.True(() => Environment.TickCount64 - begun >= milliseconds, () => "time passes");
    }
}
