using System.Globalization;
using RaftFast.EndToEnd.Tests.Kit;
using RaftFast.Linearizability;

namespace RaftFast.EndToEnd.Tests.Torture;

/// <summary>
/// Kills, stops, partitions, adds and removes real members at random under load, and checks the histories of their
/// clients for linearizability. Takes half a minute with three members, or the time and the number of members that
/// RAFTFAST_TORTURE_SECONDS and RAFTFAST_TORTURE_MEMBERS give (scripts/torture).
/// </summary>
public sealed class TortureTests
{
    private const int Clients = 10;
    private const int Keys = 10;

    /// <summary>
    /// Time after which the history is checked, and a new one begins with a new cluster. The check of a short history
    /// is quick.
    /// </summary>
    private static readonly TimeSpan Chapter = TimeSpan.FromSeconds(10);

    private static TimeSpan Duration => TimeSpan.FromSeconds(FromEnvironment("RAFTFAST_TORTURE_SECONDS", 30));

    private static int Members => FromEnvironment("RAFTFAST_TORTURE_MEMBERS", 3);

    [Fact]
    public void Every_history_of_a_tortured_cluster_is_linearizable()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        long begun = Environment.TickCount64;
        TortureCounts counts = new();
        while (Environment.TickCount64 - begun < Duration.TotalMilliseconds)
        {
            using RelayedCluster relayed = RelayedCluster.Start(Members);
            History history = new();
            int answered = RunChapter(relayed, history, random, counts);
            CheckResult result = LinearizabilityChecker.Check(history.Snapshot());
            Assert.True(result.Linearizable, $"seed {seed}: {result}\n{relayed.Cluster}");
            Assert.True(answered > 1000, $"only {answered} requests were answered\n{relayed.Cluster}");
            counts.Chapters++;
            counts.Answered += answered;
        }
        TestContext.Current.TestOutputHelper!.WriteLine($"{Members} members, seed {seed}: {counts}");
    }

    private static int RunChapter(RelayedCluster relayed, History history, Random random, TortureCounts counts)
    {
        TortureClient[] clients = [.. Enumerable.Range(0, Clients).Select(
            i => new TortureClient(i, relayed.Cluster.Nodes, history, Keys))];
        MemberTorture torture = new(relayed, random, counts);
        long begun = Environment.TickCount64;
        while (Environment.TickCount64 - begun < Chapter.TotalMilliseconds)
            torture.Strike();
        // After the faults every member serves again.
        torture.WaitUntilReady();
        foreach (TortureClient client in clients)
            client.Dispose();
        Assert.All(clients, client => Assert.Null(client.Violation));
        return clients.Sum(client => client.Answered);
    }

    private static int FromEnvironment(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out int value)
            ? value
            : otherwise;
}
