using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Limits;

public sealed class StateLimitTests
{
    /// <summary>At the bound, every member refuses growth and serves everything else, also after a restart.</summary>
    [Fact]
    public void Writes_that_need_memory_beyond_the_bound_of_the_state_are_answered_507()
    {
        using Cluster cluster = Cluster.Start(3, "--state-max", "16MiB");
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode follower = cluster.Others(leader).First();
        byte[] value = new byte[100_000];
        int written = 0;
        while (leader.TryExchange("PUT", $"/key{written}", value) is { Status: 204 } && written < 1000)
            written++;
        // A size class may be larger than its entry by an eighth.
        Assert.InRange(written, 140, 168);
        Eventually.True(() => leader.Process.Warns("--state-max"), () => $"a line says so, {leader}");
        AssertFull(leader);
        Eventually.True(() => follower.TryExchange("PUT", "/new", value) is { Status: 507 }, () => $"{follower}");
        AssertFull(follower);

        foreach (ClusterNode node in cluster.Nodes)
            node.Kill();
        foreach (ClusterNode node in cluster.Nodes)
            node.Restart();
        foreach (ClusterNode node in cluster.Nodes)
        {
            node.WaitUntilReady();
            AssertFull(node);
        }
        // A smaller value makes room for growth.
        Assert.Equal(204, leader.TryExchange("PUT", "/key0", value.AsSpan(0, 1))!.Status);
        Assert.Equal(204, leader.TryExchange("PUT", "/new", value)!.Status);

        void AssertFull(ClusterNode node)
        {
            HttpAnswer refused = node.TryExchange("PUT", "/new", value)!;
            Assert.Equal(507, refused.Status);
            Assert.Contains("--state-max", refused.Text, StringComparison.Ordinal);
            Assert.Equal(404, node.TryExchange("GET", "/new")!.Status);
            Assert.Equal(204, node.TryExchange("PUT", "/key0", value)!.Status);
            Assert.Equal(507, node.TryExchange("PUT", "/key2", new byte[value.Length + 1])!.Status);
            Assert.Equal(200, node.TryExchange("GET", "/key2")!.Status);
        }
    }
}
