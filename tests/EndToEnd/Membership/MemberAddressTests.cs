using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Membership;

public sealed class MemberAddressTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_member_that_is_started_with_another_url_of_its_own_is_found_there(bool isLeader)
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode moved = isLeader ? leader : cluster.Others(leader).First();
        Assert.Equal(204, Curl.Put(moved.Url("/key"), "before").Status);
        moved.Process.Terminate();
        Assert.Equal(0, moved.Process.WaitForExit());

        string url = $"http://127.0.0.1:{FreePorts.Take()}";
        moved.Start(cluster.Urls.Replace(moved.PeerUrl, url, StringComparison.Ordinal));
        foreach (ClusterNode node in cluster.Nodes)
            Eventually.True(
                () => Operator.Says(node, $"member {moved.Id} moved from {moved.PeerUrl} to {url}"),
                () => $"the move is committed, {cluster}");

        // The others keep the new URL, whatever their flags say: with one member down, they need the moved one.
        ClusterNode needsIt = cluster.Others(moved).First();
        ClusterNode down = cluster.Others(moved).Last();
        down.Kill();
        needsIt.Kill();
        needsIt.Restart();
        Eventually.True(
            () => needsIt.TryExchange("PUT", "/key", "after"u8)?.Status == 204,
            () => $"two of three find each other, {cluster}");
        Assert.Equal("after", Curl.Get(moved.Url("/key")).Text);
        Eventually.True(() => needsIt.Process.Warns("--cluster says"), () => $"a line says so, {needsIt}");

        // The moved member keeps its own URL too, and needs no flag for the other members' URLs.
        moved.Process.Terminate();
        Assert.Equal(0, moved.Process.WaitForExit());
        moved.Start(
            string.Join(',', cluster.Nodes.Select(node => node == moved ? url : "http://127.0.0.1:" + (1 + node.Id))));
        Eventually.True(
            () => moved.TryExchange("GET", "/key")?.Text == "after", () => $"it finds the other, {cluster}");
    }

    /// <summary>
    /// Each of the two has moved to a URL that the other's directory doesn't name. The third knows both.
    /// </summary>
    [Fact]
    public void Two_members_that_moved_one_after_the_other_find_each_other()
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode third = cluster.WaitForLeader();
        ClusterNode first = cluster.Others(third).First();
        ClusterNode second = cluster.Others(third).Last();
        second.Kill();
        string firstUrl = $"http://127.0.0.1:{FreePorts.Take()}";
        string secondUrl = $"http://127.0.0.1:{FreePorts.Take()}";
        first.Kill();
        first.Start(cluster.Urls.Replace(first.PeerUrl, firstUrl, StringComparison.Ordinal));
        Eventually.True(() =>
            Operator.Says(third, $"member {first.Id} moved from"), () => $"the first move is committed, {cluster}");
        second.Start(cluster.Urls.Replace(second.PeerUrl, secondUrl, StringComparison.Ordinal));
        Eventually.True(
            () => Operator.Says(first, $"member {second.Id} moved from"),
            () => $"the second move is committed, {cluster}");
        third.Kill();
        Eventually.True(
            () => second.TryExchange("PUT", "/key", "value"u8)?.Status == 204,
            () => $"the two continue without the third, {cluster}");
        Assert.Equal("value", Curl.Get(first.Url("/key")).Text);
    }

    [Fact]
    public void Members_that_all_moved_at_once_find_each_other()
    {
        using Cluster cluster = Cluster.Start(3);
        Assert.Equal(204, Curl.Put(cluster.WaitForLeader().Url("/key"), "before").Status);
        cluster.KillAll();
        string[] urls = [.. cluster.Nodes.Select(_ => $"http://127.0.0.1:{FreePorts.Take()}")];
        foreach (ClusterNode node in cluster.Nodes)
            node.Start(string.Join(',', urls));
        foreach (ClusterNode node in cluster.Nodes)
        {
            foreach (ClusterNode moved in cluster.Nodes)
            {
                Eventually.True(
                    () => Operator.Says(node, $"member {moved.Id} moved from {moved.PeerUrl} to {urls[moved.Id - 1]}"),
                    () => $"every move is committed, {cluster}");
            }
            Assert.Equal("before", Curl.Get(node.Url("/key")).Text);
        }
        // The moves are in the log: the flags are not needed again.
        cluster.KillAll();
        foreach (ClusterNode node in cluster.Nodes)
            node.Start(OnlyOwn(node, urls));
        cluster.WaitUntilReady();
        Assert.Equal(204, Curl.Put(cluster.Nodes[0].Url("/key"), "after").Status);
    }

    [Fact]
    public void A_cluster_of_one_moves_too()
    {
        using Cluster cluster = Cluster.Start(1);
        ClusterNode node = cluster.Nodes[0];
        Assert.Equal(204, Curl.Put(node.Url("/key"), "value").Status);
        node.Kill();
        string url = $"http://127.0.0.1:{FreePorts.Take()}";
        node.Start(url);
        Eventually.True(
            () => Operator.Says(node, $"member 1 moved from {node.PeerUrl} to {url}"),
            () => $"the move is committed, {node}");
        Assert.Equal("value", Curl.Get(node.Url("/key")).Text);
        ClusterNode second = cluster.PrepareMember();
        Operator.AssertDone(Operator.Post(node, second.Id, second.PeerUrl), cluster);
        second.StartJoining(url);
        Operator.WaitUntilVoter(cluster, second);
    }

    /// <summary>A value of --cluster that names no other member's URL.</summary>
    private static string OnlyOwn(ClusterNode node, string[] urls) => string.Join(
        ',', urls.Select((url, i) => i == node.Id - 1 ? url : $"http://127.0.0.1:{2 + i}"));
}
