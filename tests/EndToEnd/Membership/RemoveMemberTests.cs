using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Membership;

[Collection(nameof(Alone))]
public sealed class RemoveMemberTests
{
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void A_removed_member_stops_and_the_others_go_on(bool isLeader, bool isAskedItself)
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode node = isLeader ? leader : cluster.Others(leader).First();
        ClusterNode other = cluster.Others(node).First();
        Assert.Equal(204, Curl.Put(node.Url("/before"), "kept").Status);
        Operator.Remove(cluster, isAskedItself ? node : other, node);

        Eventually.True(
            () => other.TryExchange("PUT", "/after", "written"u8)?.Status == 204, () => $"writes continue, {cluster}");
        foreach (ClusterNode left in cluster.Others(node))
        {
            Assert.Equal("kept", Curl.Get(left.Url("/before")).Text);
            Assert.Equal("written", Curl.Get(left.Url("/after")).Text);
        }
        if (isLeader) // it handed leadership over, so its successor leads in the next term
            Assert.Equal(node.TermLed + 1, cluster.WaitForLeader().TermLed);

        node.Restart(); // it stops again after a restart
        Operator.AssertStopsByItself(node);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void One_of_two_is_left_alone(bool removesLeader)
    {
        using Cluster cluster = Cluster.Start(2);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode node = removesLeader ? leader : cluster.Others(leader).Single();
        ClusterNode last = cluster.Others(node).Single();
        Assert.Equal(204, Curl.Put(node.Url("/before"), "kept").Status);
        Operator.Remove(cluster, last, node);
        Eventually.True(
            () => last.TryExchange("PUT", "/after", "alone"u8)?.Status == 204, () => $"one is a cluster, {last}");
        Assert.Equal("kept", Curl.Get(last.Url("/before")).Text);
        Operator.AssertRefused(Operator.Delete(last, last.Id), 409, "last voter");

        last.Kill();
        last.Restart();
        last.WaitUntilReady();
        Assert.Equal("alone", Curl.Get(last.Url("/after")).Text);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Who_was_down_when_it_was_removed_stops_when_it_is_back(bool wasLeader)
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode node = wasLeader ? leader : cluster.Others(leader).First();
        node.Kill();
        ClusterNode other = cluster.Others(node).First();
        Eventually.True(
            () => other.TryExchange("PUT", "/key", "value"u8)?.Status == 204, () => $"there is a leader, {cluster}");
        Operator.AssertDone(Operator.Delete(other, node.Id), cluster);
        long term = cluster.WaitForLeader().TermLed;

        node.Restart();
        Operator.AssertStopsByItself(node);
        Assert.Equal(204, Curl.Put(other.Url("/key"), "after").Status);
        Assert.Equal(term, cluster.WaitForLeader().TermLed); // no election was necessary
    }

    [Fact]
    public void Who_was_asleep_when_it_was_removed_stops_when_it_wakes_up()
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode node = cluster.Others(leader).First();
        node.Process.Pause();
        Operator.AssertDone(Operator.Delete(leader, node.Id), cluster);
        node.Process.Resume();
        Operator.AssertStopsByItself(node);
        Assert.Equal(204, Curl.Put(leader.Url("/key"), "after").Status);
    }

    [Fact]
    public void The_tour_of_the_original_works()
    {
        using Cluster cluster = Cluster.Start(3);
        Assert.Equal(204, Curl.Put(cluster.Nodes[1].Url("/my-key"), "hello").Status);
        ClusterNode fourth = Operator.Add(cluster, cluster.Nodes[0]);
        fourth.WaitUntilReady();
        Assert.Equal("hello", Curl.Get(fourth.Url("/my-key")).Text);
        Operator.Remove(cluster, cluster.Nodes[0], cluster.Nodes[2]);
        Assert.Equal("hello", Curl.Get(fourth.Url("/my-key")).Text);
        Assert.Equal(204, Curl.Put(fourth.Url("/my-key"), "foo").Status);
        Assert.Equal("foo", Curl.Get(cluster.Nodes[0].Url("/my-key")).Text);
        Operator.AssertRefused(Operator.Post(fourth, 3, cluster.Nodes[2].PeerUrl), 409, "never used again");
    }

    [Fact]
    public void A_new_node_may_take_the_url_of_a_removed_one()
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode lost = cluster.Others(leader).First();
        Assert.Equal(204, Curl.Put(leader.Url("/key"), "value").Status);
        lost.Kill();
        Operator.AssertDone(Operator.Delete(leader, lost.Id), cluster);
        Operator.AssertDone(Operator.Post(leader, 4, lost.PeerUrl), cluster);
        using ServerProcess replacement = ServerProcess.Start(
            "--id", "4", "--join", "--cluster", lost.PeerUrl, "--port", $"{lost.HttpPort}",
            "--data-dir", $"{lost.DataDirectory}-new");
        Eventually.True(
            () => Operator.Says(leader, $"member 4 at {lost.PeerUrl} is a voter"),
            () => $"it is a voter, {leader}\n{replacement}");
        Assert.Equal("value", Curl.Get(lost.Url("/key")).Text);
    }
}
