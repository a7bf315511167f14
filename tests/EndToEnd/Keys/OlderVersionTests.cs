using System.Text;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Keys;

/// <summary>Members and directories of the version that knows no conditions.</summary>
public sealed class OlderVersionTests
{
    private const string Variable = "RAFTFAST_OLDER_BINARY";

    [Fact]
    public void Mixed_cluster_serves_plain_requests_and_refuses_the_others_until_every_member_knows_them()
    {
        string older = Older();
        using Cluster cluster = Cluster.Prepare(3);
        cluster.Nodes[0].Start(cluster.Urls);
        cluster.Nodes[1].Start(cluster.Urls);
        cluster.Nodes[2].StartOther(older, cluster.Urls);
        cluster.WaitUntilReady();
        CheckPlain("mixed");
        foreach (ClusterNode node in cluster.Nodes.Take(2))
        {
            HttpAnswer refused = node.TryExchange("PUT", "/new", "1"u8, "If-None-Match: *")!;
            Assert.Equal(503, refused.Status);
            Assert.Contains("member 3 is not known to run a version", refused.Text, StringComparison.Ordinal);
            Assert.Equal(404, node.TryExchange("GET", "/new")!.Status);
            // A read needs no entry, so its conditions hold already.
            HttpAnswer read = node.TryExchange("GET", "/mixed1")!;
            HttpAnswer same = node.TryExchange("GET", "/mixed1", default, $"If-None-Match: \"{read.Tag}\"")!;
            Assert.Equal(304, same.Status);
        }
        // Every member leads once: the others are stopped and started again.
        foreach (ClusterNode node in cluster.Nodes)
        {
            ClusterNode leader = cluster.WaitForLeader();
            if (leader == node)
                continue;
            leader.Kill();
            CheckPlainAtOne(cluster.Others(leader).First(), $"without{leader.Id}");
            if (leader.Id == 3)
                leader.StartOther(older, cluster.Urls);
            else
                leader.Restart();
            cluster.WaitUntilReady();
            CheckPlain($"with{leader.Id}");
        }
        cluster.Nodes[2].Kill();
        cluster.Nodes[2].Start(cluster.Urls);
        cluster.WaitUntilReady();
        foreach (ClusterNode node in cluster.Nodes)
        {
            Eventually.True(
                () => node.TryExchange("PUT", $"/new{node.Id}", "1"u8, "If-None-Match: *") is { Status: 204 or 412 },
                () => $"every member knows conditions, {cluster}");
        }
        // After the first such entry the state shows that every member knows the kind: a dead member does not matter.
        ClusterNode dead = cluster.Others(cluster.WaitForLeader()).First();
        dead.Kill();
        ClusterNode other = cluster.Running.First();
        other.Kill();
        other.Restart();
        other.WaitUntilReady();
        Eventually.True(
            () => other.TryExchange("PUT", "/late", "1"u8, "If-None-Match: *") is { Status: 204 or 412 },
            () => $"conditions hold without a member, {cluster}");

        void CheckPlain(string name)
        {
            foreach (ClusterNode node in cluster.Nodes)
                CheckPlainAtOne(node, $"{name}{node.Id}");
        }

        void CheckPlainAtOne(ClusterNode node, string key)
        {
            Eventually.True(
                () => node.TryExchange("PUT", $"/{key}", "1"u8)?.Status == 204, () => $"{key} is written, {cluster}");
            foreach (ClusterNode reader in cluster.Running)
                Assert.Equal(200, reader.TryExchange("GET", $"/{key}")?.Status);
        }
    }

    [Fact]
    public void Directory_of_the_older_version_is_taken_over_with_its_snapshot_and_log()
    {
        string older = Older();
        using Cluster cluster = Cluster.Prepare(3);
        foreach (ClusterNode node in cluster.Nodes)
            node.StartOther(older, cluster.Urls);
        cluster.WaitUntilReady();
        byte[] value = Encoding.ASCII.GetBytes(new string('v', 1 << 20));
        for (int i = 0; i < 300; i++)
        {
            ClusterNode node = cluster.Nodes[i % 3];
            string key = $"/key{i % 40}";
            // A 503 says that the write was not done, and the older version gives one while the links settle.
            Eventually.True(
                () => node.TryExchange("PUT", key, value)?.Status == 204, () => $"{key} is written, {cluster}");
        }
        cluster.KillAll();
        foreach (ClusterNode node in cluster.Nodes)
            node.Start(cluster.Urls);
        cluster.WaitUntilReady();
        HashSet<long> tags = [];
        for (int i = 0; i < 40; i++)
        {
            HttpAnswer read = cluster.Nodes[i % 3].TryExchange("GET", $"/key{i}")!;
            Assert.Equal((200, value.Length), (read.Status, read.Body.Length));
            Assert.True(read.Tag > 0 && tags.Add(read.Tag));
        }
        Eventually.True(
            () => cluster.Nodes[0].TryExchange("PUT", "/new", "1"u8, "If-None-Match: *") is { Status: 204 or 412 },
            () => $"conditions hold, {cluster}");
    }

    private static string Older()
    {
        string? binary = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(
            string.IsNullOrEmpty(binary),
            $"{Variable} does not name the program of commit c9345ea; build it with scripts/build-commit");
        return binary!;
    }
}
