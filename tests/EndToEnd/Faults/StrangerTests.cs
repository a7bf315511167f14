using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Faults;

/// <summary>A node of another cluster changes nothing, whichever side dials.</summary>
[Collection(nameof(Alone))]
public sealed class StrangerTests
{
    [Fact]
    public void A_node_that_founded_another_cluster_with_our_url_in_it_disturbs_nobody()
    {
        using Cluster cluster = Cluster.Start(3);
        using Cluster elsewhere = Cluster.Prepare(2);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode stranger = elsewhere.Nodes[1];
        stranger.Start($"{cluster.Nodes[0].PeerUrl},{stranger.PeerUrl}", "--request-timeout", "1000");
        AssertUndisturbed(
            cluster, leader, () => Operator.Says(stranger, "refused the handshake: WrongCluster"), stranger);
        Assert.Equal(503, stranger.TryExchange("GET", "/")?.Status);
        Assert.Equal(0, stranger.TermLed);
    }

    [Fact]
    public void A_member_of_another_cluster_is_not_to_be_had()
    {
        using Cluster cluster = Cluster.Start(3);
        using Cluster other = Cluster.Start(1);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode stranger = other.Nodes[0];
        Assert.Equal(204, Curl.Put(stranger.Url("/theirs"), "kept").Status);
        Operator.AssertDone(Operator.Post(leader, 4, stranger.PeerUrl), cluster);
        AssertUndisturbed(
            cluster, leader, () => Operator.Says(leader, "refused the handshake: WrongCluster"), stranger);
        Assert.False(Operator.Says(leader, "is a voter"), leader.ToString());
        Operator.AssertDone(Operator.Delete(leader, 4), cluster);
        Assert.True(stranger.Runs);
        Assert.Equal("kept", Curl.Get(stranger.Url("/theirs")).Text);
        Assert.Equal(404, Curl.Get(stranger.Url("/ours")).Status);
    }

    private static void AssertUndisturbed(Cluster cluster, ClusterNode leader, Func<bool> haveMet, ClusterNode stranger)
    {
        long term = leader.TermLed;
        int writes = 0;
        long begun = Environment.TickCount64;
        Eventually.True(
            () =>
            {
                Assert.Equal(204, leader.TryExchange("PUT", "/ours", "value"u8)?.Status);
                // Several election timeouts.
                return ++writes >= 50 && haveMet() && Environment.TickCount64 - begun > 1500;
            },
            () => $"they meet, {cluster}\n{stranger}");
        Assert.True(cluster.WaitForLeader() == leader && leader.TermLed == term, cluster.ToString());
    }
}
