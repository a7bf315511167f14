using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Membership;

/// <summary>
/// A member that lost its data has forgotten its vote and its acknowledgements, so its id is refused.
/// </summary>
public sealed class LostDiskTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_member_with_an_empty_directory_exits_1_and_says_what_to_do(bool joins)
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode lost = cluster.Others(leader).First();
        Assert.Equal(204, Curl.Put(leader.Url("/key"), "value").Status);
        LoseDisk(lost);
        lost.Start(cluster.Urls, joins ? ["--join"] : []);
        AssertRefused(lost);
        Assert.Equal(204, Curl.Put(leader.Url("/key"), "after").Status);

        // The remedy that the node printed works.
        Operator.AssertDone(Operator.Delete(leader, lost.Id), cluster);
        ClusterNode replacement = Operator.Add(cluster, leader);
        replacement.WaitUntilReady();
        Assert.Equal("after", Curl.Get(replacement.Url("/key")).Text);
    }

    [Fact]
    public void It_does_not_help_to_elect_a_leader_that_lacks_what_it_once_acknowledged()
    {
        using Cluster cluster = Cluster.Start(3, "--request-timeout", "1000");
        ClusterNode behind = cluster.Nodes[2];
        behind.Kill();
        ClusterNode other = cluster.Nodes[0];
        ClusterNode lost = cluster.Nodes[1];
        Eventually.True(
            () => other.TryExchange("PUT", "/key", "on two of three"u8)?.Status == 204,
            () => $"two are a majority, {cluster}");
        other.Kill();
        LoseDisk(lost);

        // The two running nodes would be a majority, and neither has the key.
        behind.Restart();
        lost.Start(cluster.Urls);
        AssertRefused(lost);
        Assert.Equal(503, behind.TryExchange("GET", "/key")?.Status);
        Assert.Equal(0, behind.Process.TermLed);

        other.Restart();
        behind.WaitUntilReady();
        Assert.Equal("on two of three", Curl.Get(behind.Url("/key")).Text);
    }

    private static void LoseDisk(ClusterNode node)
    {
        if (node.Runs)
            node.Kill();
        Directory.Delete(node.DataDirectory, recursive: true);
    }

    private static void AssertRefused(ClusterNode node)
    {
        Assert.True(node.Process.WaitForExit() == 1, node.ToString());
        string complaint = Complaint.Single(node.Process);
        foreach (string said in (string[])[$"member {node.Id}", $"DELETE /{node.Id}", "new id", "--join"])
            Assert.Contains(said, complaint, StringComparison.Ordinal);
        Assert.Equal(0, node.Process.TermLed);
    }
}
