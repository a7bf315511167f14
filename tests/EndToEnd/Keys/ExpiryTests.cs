using System.Diagnostics;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Keys;

public sealed class ExpiryTests
{
    [Fact]
    public void Key_expires_on_every_member_and_never_early_even_if_its_leader_dies()
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        long put = Stopwatch.GetTimestamp();
        HttpAnswer lease = leader.TryExchange("PUT", "/lock", "me"u8, "RaftFast-TTL: 3")!;
        Assert.Equal(204, lease.Status);
        Assert.Equal(204, leader.TryExchange("PUT", "/kept", "me"u8, "RaftFast-TTL: 3600")!.Status);
        leader.Kill();
        foreach (ClusterNode node in cluster.Running)
        {
            // The read waits until the key is deleted.
            HttpAnswer gone = Wait(node, "/lock", lease.Tag);
            Assert.Equal(404, gone.Status);
            Assert.True(Stopwatch.GetElapsedTime(put) >= TimeSpan.FromSeconds(3), "the key has expired early");
            Assert.Equal(200, node.TryExchange("GET", "/kept")!.Status);
        }
    }

    [Fact]
    public void Renewal_keeps_a_key_and_its_tag_fences_the_former_owner()
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode node = cluster.Others(cluster.WaitForLeader()).First();
        long tag = node.TryExchange("PUT", "/lock", "a"u8, "If-None-Match: *", "RaftFast-TTL: 2")!.Tag;
        long begun = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(4))
        {
            HttpAnswer renewed = node.TryExchange("PUT", "/lock", "a"u8, $"If-Match: \"{tag}\"", "RaftFast-TTL: 2")!;
            Assert.Equal(204, renewed.Status);
            Assert.True(renewed.Tag > tag);
            tag = renewed.Tag;
        }
        Assert.Equal(404, Wait(node, "/lock", tag).Status);
        long next = node.TryExchange("PUT", "/lock", "b"u8, "If-None-Match: *", "RaftFast-TTL: 60")!.Tag;
        Assert.True(next > tag);
        HttpAnswer late = node.TryExchange("PUT", "/lock", "a"u8, $"If-Match: \"{tag}\"", "RaftFast-TTL: 2")!;
        Assert.Equal((412, next), (late.Status, late.Tag));
    }

    [Fact]
    public void Time_to_live_survives_the_restart_of_all_members()
    {
        using Cluster cluster = Cluster.Start(3);
        Assert.Equal(
            204, cluster.WaitForLeader().TryExchange("PUT", "/lock", "me"u8, "RaftFast-TTL: 2")!.Status);
        cluster.KillAll();
        foreach (ClusterNode node in cluster.Nodes)
            node.Restart();
        cluster.WaitUntilReady();
        Eventually.True(
            () => cluster.Nodes[0].TryExchange("GET", "/lock")?.Status == 404, () => $"the key expires, {cluster}");
    }

    private static HttpAnswer Wait(ClusterNode node, string key, long tag)
    {
        HttpAnswer? answer = null;
        Eventually.True(
            () =>
            {
                answer = node.TryExchange("GET", key, default, $"If-None-Match: \"{tag}\"", "Prefer: wait=10");
                return answer is { Status: not (503 or 304) };
            },
            () => $"the read is answered, {node}");
        return answer!;
    }
}
