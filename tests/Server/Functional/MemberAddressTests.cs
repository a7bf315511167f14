namespace RaftFast.Server.Tests.Functional;

[Collection(RealProcesses.Name)]
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
            Eventually.Hold(() => Membership.Says(node, $"member {moved.Id} moved from {moved.PeerUrl} to {url}"), () => $"the move is committed, {cluster}");

        // The others keep it, whatever their flags say: of the three they need it.
        ClusterNode needsIt = cluster.Others(moved).First();
        ClusterNode down = cluster.Others(moved).Last();
        down.Kill();
        needsIt.Kill();
        needsIt.Restart();
        Eventually.Hold(() => needsIt.TryExchange("PUT", "/key", "after"u8)?.Status == 204, () => $"two of three find each other, {cluster}");
        Assert.Equal("after", Curl.Get(moved.Url("/key")).Text);
        Assert.Contains(needsIt.Process.Lines, line => line.Contains("--cluster says", StringComparison.Ordinal) && line.Contains(" warning ", StringComparison.Ordinal));

        // And so does it, with no flag that says so.
        moved.Process.Terminate();
        Assert.Equal(0, moved.Process.WaitForExit());
        moved.Start(string.Join(',', cluster.Nodes.Select(node => node == moved ? url : "http://127.0.0.1:" + (1 + node.Id))));
        Eventually.Hold(() => moved.TryExchange("GET", "/key")?.Text == "after", () => $"it finds the other, {cluster}");
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
        Eventually.Hold(() => Membership.Says(node, $"member 1 moved from {node.PeerUrl} to {url}"), () => $"the move is committed, {node}");
        Assert.Equal("value", Curl.Get(node.Url("/key")).Text);
        ClusterNode second = cluster.PrepareMember();
        Membership.AssertDone(Membership.Post(node, second.Id, second.PeerUrl), cluster);
        second.StartJoining(url);
        Membership.WaitUntilVoter(cluster, second);
    }
}
