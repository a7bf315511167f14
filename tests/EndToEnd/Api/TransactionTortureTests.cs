using RaftFast.EndToEnd.Tests.Kit;
using RaftFast.Linearizability;

namespace RaftFast.EndToEnd.Tests.Api;

/// <summary>
/// Transactions through all members while leaders are killed and stopped: what clients saw of several keys must be
/// linearizable.
/// </summary>
public sealed class TransactionTortureTests
{
    private const int Clients = 6;
    private const int KillsMin = 3;

    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(15);

    [Fact]
    public void Every_history_of_transactions_is_linearizable_over_all_keys()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        using Cluster cluster = Cluster.StartWithApi(3);
        TransactionHistory history = new();
        TransactionClient[] clients = [.. Enumerable.Range(0, Clients).Select(
            number => new TransactionClient(number, cluster.Nodes, history, random.Next()))];
        long begun = Environment.TickCount64;
        int faults = 0;
        for (; faults < KillsMin || Environment.TickCount64 - begun < Duration.TotalMilliseconds; faults++)
        {
            ClusterNode victim = random.Next(4) > 0 ? cluster.WaitForLeader() : cluster.Nodes[random.Next(3)];
            RandomFaults.KillOrPause(victim, random);
            cluster.WaitUntilReady();
            RandomFaults.Wait(random.Next(500));
        }
        foreach (TransactionClient client in clients)
            client.Dispose();
        int[] met = [.. Enumerable.Range(0, clients[0].Met.Length).Select(i => clients.Sum(client => client.Met[i]))];
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"seed {seed}: {faults} faults, {met[0]} transactions done, {met[1]} failed, {met[2]} repeated, "
            + $"{met[3]} reads");
        Assert.All(clients, client => Assert.Null(client.Violation));
        string? violation = TransactionChecker.Check(history.Snapshot(), TransactionClient.Keys);
        Assert.True(violation is null, $"seed {seed}: {violation}\n{cluster}");
        Assert.True(met[0] > 0 && met[1] > 0 && met[3] > 0);
    }
}
