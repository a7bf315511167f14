using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Snapshots;

/// <summary>A new member gets a large state while clients write as fast as they can.</summary>
public sealed class InstallUnderLoadTests
{
    [Fact]
    public void A_new_member_catches_up_with_a_large_state_under_full_load_and_stays()
    {
        using Cluster cluster = Cluster.Start(3, "--snapshot-every", "16MiB");
        ClusterNode leader = cluster.WaitForLeader();
        Overwriter[] clients = [.. Enumerable.Range(0, 4).Select(number => new Overwriter(number, leader))];
        try
        {
            Eventually.True(
                () => clients.All(client => client.Rounds > 0), TimeSpan.FromMinutes(1),
                () => $"the state gets large, {cluster}");
            // After the second snapshot the log no longer contains its first entries.
            Eventually.True(
                () => leader.Lines.Count(line => line.Contains(" taken, ", StringComparison.Ordinal)) > 1,
                TimeSpan.FromMinutes(1),
                () => $"the log is compacted, {cluster}");
            ClusterNode fourth = cluster.PrepareMember();
            Operator.AssertDone(Operator.Post(leader, fourth.Id, fourth.PeerUrl), cluster);
            fourth.StartJoining(cluster.Urls);
            Eventually.True(
                () => Operator.Says(leader, $"member {fourth.Id} at {fourth.PeerUrl} is a voter"),
                TimeSpan.FromMinutes(2),
                () => $"the new member catches up, {cluster}");
            Eventually.True(() => fourth.HasInstalledSnapshot, () => $"a line says so, {fourth}");
            int rounds = clients[0].Rounds;
            Eventually.True(
                () => clients[0].Rounds > rounds + 1, TimeSpan.FromMinutes(1), () => $"writes continue, {cluster}");
            Assert.All(clients, client => Assert.Null(client.Failure));
            Assert.Single(fourth.Lines, line => line.Contains(" installed: ", StringComparison.Ordinal));
        }
        finally
        {
            foreach (Overwriter client in clients)
                client.Dispose();
        }
    }
}
