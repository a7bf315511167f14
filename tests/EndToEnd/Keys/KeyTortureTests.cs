using System.Globalization;
using RaftFast.EndToEnd.Tests.Kit;
using RaftFast.Linearizability;

namespace RaftFast.EndToEnd.Tests.Keys;

/// <summary>
/// Real members under kill -9, SIGSTOP and broken connections: what clients saw of creations, compare-and-sets,
/// deletions, expiries and retries must be linearizable. Takes 20 s, a minute in continuous integration, or the time
/// that RAFTFAST_TORTURE_SECONDS gives (scripts/torture).
/// </summary>
public sealed class KeyTortureTests
{
    private const int Clients = 8;
    private const int Keys = 6;

    /// <summary>Time after which the history is checked, and a new one begins with a new cluster.</summary>
    private static readonly TimeSpan Chapter = TimeSpan.FromSeconds(10);

    private static TimeSpan Duration => TimeSpan.FromSeconds(
        int.TryParse(
            Environment.GetEnvironmentVariable("RAFTFAST_TORTURE_SECONDS"), CultureInfo.InvariantCulture,
            out int seconds)
            ? seconds
            : Environment.GetEnvironmentVariable("CI") == "true" ? 60 : 20);

    [Fact]
    public void Every_history_of_conditional_requests_is_linearizable()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        long begun = Environment.TickCount64;
        int[] met = new int[KeyClient.Kinds];
        while (Environment.TickCount64 - begun < Duration.TotalMilliseconds)
        {
            using Cluster cluster = Cluster.Start(3);
            History history = new();
            RunChapter(cluster, history, random, met);
            CheckResult result = LinearizabilityChecker.Check(history.Snapshot());
            Assert.True(result.Linearizable, $"seed {seed}: {result}\n{cluster}");
        }
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}: {KeyClient.Describe(met)}");
        Assert.DoesNotContain(0, met);
    }

    private static void RunChapter(Cluster cluster, History history, Random random, int[] met)
    {
        using ExpiryRecorder expiries = new(history, KeyClient.TimeToLive);
        KeyClient[] clients = [.. Enumerable.Range(0, Clients).Select(
            i => new KeyClient(i, cluster.Nodes, history, expiries, Keys, random.Next()))];
        long begun = Environment.TickCount64;
        while (Environment.TickCount64 - begun < Chapter.TotalMilliseconds)
        {
            ClusterNode victim = random.Next(3) > 0 && cluster.Leader is { } leader
                ? leader
                : cluster.Nodes[random.Next(cluster.Nodes.Count)];
            RandomFaults.KillOrPause(victim, random);
            RandomFaults.Wait(random.Next(1500));
        }
        foreach (KeyClient client in clients)
            client.Dispose();
        Assert.All(clients, client => Assert.Null(client.Violation));
        foreach (KeyClient client in clients)
        {
            for (int i = 0; i < met.Length; i++)
                met[i] += client.Met[i];
        }
    }
}
