using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Keys;

public sealed class ConditionTests
{
    [Fact]
    public void Conditions_hold_on_every_member_and_tags_are_the_same_everywhere()
    {
        using Cluster cluster = Cluster.Start(3);
        foreach (ClusterNode node in cluster.Nodes)
        {
            string key = $"/key{node.Id}";
            HttpAnswer created = node.TryExchange("PUT", key, "1"u8, "If-None-Match: *")!;
            Assert.Equal(204, created.Status);
            Assert.True(created.Tag > 0);
            HttpAnswer exists = node.TryExchange("PUT", key, "2"u8, "If-None-Match: *")!;
            Assert.Equal((412, created.Tag), (exists.Status, exists.Tag));
            Assert.Contains($"\"{created.Tag}\"", exists.Text, StringComparison.Ordinal);
            foreach (ClusterNode reader in cluster.Nodes)
            {
                HttpAnswer read = reader.TryExchange("GET", key)!;
                Assert.Equal((200, "1", created.Tag), (read.Status, read.Text, read.Tag));
                HttpAnswer same = reader.TryExchange("GET", key, default, $"If-None-Match: W/\"{created.Tag}\"")!;
                Assert.Equal((304, created.Tag, 0), (same.Status, same.Tag, same.Body.Length));
                Assert.Equal(412, reader.TryExchange("GET", key, default, "If-Match: \"1\"")!.Status);
            }
            HttpAnswer swapped = node.TryExchange("PUT", key, "3"u8, $"If-Match: \"{created.Tag}\"")!;
            Assert.Equal(204, swapped.Status);
            Assert.True(swapped.Tag > created.Tag);
            Assert.Equal(412, node.TryExchange("DELETE", key, default, $"If-Match: \"{created.Tag}\"")!.Status);
            HttpAnswer deleted = node.TryExchange("DELETE", key, default, $"If-Match: \"{swapped.Tag}\"")!;
            Assert.Equal((204, 0), (deleted.Status, deleted.Tag));
            HttpAnswer again = node.TryExchange("DELETE", key, default, "If-Match: *")!;
            Assert.Equal((412, 0), (again.Status, again.Tag));
            Assert.Equal(404, node.TryExchange("GET", key)!.Status);
        }
    }

    [Fact]
    public void Key_with_the_name_of_a_member_is_deleted_only_with_a_condition()
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode other = cluster.Others(leader).First();
        Assert.Equal(204, leader.TryExchange("PUT", "/7", "a value"u8)!.Status);
        // 7 is no member: the answer is 204, and the key stays.
        Assert.Equal(204, leader.TryExchange("DELETE", "/7")!.Status);
        Assert.Equal(200, leader.TryExchange("GET", "/7")!.Status);
        Eventually.True(
            () => leader.Process.Warns("DELETE /7 asks to remove member 7"), () => $"a line says so, {leader}");
        Assert.Equal(204, other.TryExchange("DELETE", "/7", default, "If-Match: *")!.Status);
        Assert.Equal(404, leader.TryExchange("GET", "/7")!.Status);
    }

    [Fact]
    public void Tags_survive_restarts_and_snapshots()
    {
        using Cluster cluster = Cluster.Start(1, "--snapshot-every", "50");
        ClusterNode node = cluster.Nodes[0];
        long tag = node.TryExchange("PUT", "/key", "1"u8)!.Tag;
        for (int i = 0; i < 120; i++)
            Assert.Equal(204, node.TryExchange("PUT", "/other", "1"u8)!.Status);
        Eventually.True(() => node.HasTakenSnapshot, () => $"a snapshot is taken, {node}");
        node.Kill();
        node.Restart();
        node.WaitUntilReady();
        Assert.Equal(tag, node.TryExchange("GET", "/key")!.Tag);
        Assert.Equal(204, node.TryExchange("PUT", "/key", "2"u8, $"If-Match: \"{tag}\"")!.Status);
    }
}
