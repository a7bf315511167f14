using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Keys;

public sealed class WaitTests
{
    [Fact]
    public void Waiting_read_is_answered_by_a_put_or_a_deletion_of_its_key_alone_on_every_member()
    {
        using Cluster cluster = Cluster.Start(3);
        foreach (ClusterNode node in cluster.Nodes)
        {
            ClusterNode writer = cluster.Others(node).First();
            string key = $"/key{node.Id}";
            using HttpConnection absent = HttpConnection.Open(node.HttpPort);
            absent.Send("GET", key, default, "Prefer: wait=20");
            Assert.Equal(204, writer.TryExchange("PUT", "/other", "x"u8)!.Status);
            Assert.False(absent.HasInput);
            long tag = writer.TryExchange("PUT", key, "1"u8)!.Tag;
            HttpAnswer created = absent.Receive();
            Assert.Equal((200, "1", tag, "wait=20"), Seen(created));

            absent.Send("GET", key, default, $"If-None-Match: \"{tag}\"", "Prefer: wait=99999");
            long next = writer.TryExchange("PUT", key, "2"u8)!.Tag;
            Assert.Equal((200, "2", next, "wait=60"), Seen(absent.Receive()));

            absent.Send("GET", key, default, $"If-None-Match: \"{next}\"", "Prefer: wait=20");
            Assert.Equal(204, writer.TryExchange("DELETE", key, default, "If-Match: *")!.Status);
            Assert.Equal((404, "Failed to GET\n", 0, "wait=20"), Seen(absent.Receive()));
        }
    }

    [Fact]
    public void Read_whose_time_is_up_is_304_or_404_and_one_with_another_tag_does_not_wait()
    {
        using Cluster cluster = Cluster.Start(1);
        ClusterNode node = cluster.Nodes[0];
        long tag = node.TryExchange("PUT", "/key", "1"u8)!.Tag;
        HttpAnswer same = node.TryExchange("GET", "/key", default, $"If-None-Match: \"{tag}\"", "Prefer: wait=1")!;
        Assert.Equal((304, "", tag, "wait=1"), Seen(same));
        HttpAnswer none = node.TryExchange("GET", "/none", default, "Prefer: wait=1")!;
        Assert.Equal((404, "Failed to GET\n", 0, "wait=1"), Seen(none));
        HttpAnswer other = node.TryExchange("GET", "/key", default, "If-None-Match: \"999\"", "Prefer: wait=20")!;
        Assert.Equal((200, "1", tag, "wait=20"), Seen(other));
        HttpAnswer gone = node.TryExchange("GET", "/none", default, "If-None-Match: \"5\"", "Prefer: wait=20")!;
        Assert.Equal(404, gone.Status);
    }

    [Fact]
    public void Waiting_reads_are_answered_503_when_the_leader_is_lost_and_at_a_stop()
    {
        using Cluster cluster = Cluster.Start(3, "--request-timeout", "1000");
        ClusterNode node = cluster.Others(cluster.WaitForLeader()).First();
        using HttpConnection waiting = HttpConnection.Open(node.HttpPort);
        waiting.Send("GET", "/none", default, "Prefer: wait=60");
        // A leader has confirmed the read once a later one has been answered.
        node.WaitUntilReady();
        foreach (ClusterNode other in cluster.Others(node))
            other.Kill();
        HttpAnswer lost = waiting.Receive();
        Assert.Equal(503, lost.Status);
        Assert.Contains("no leader is known", lost.Text, StringComparison.Ordinal);

        foreach (ClusterNode other in cluster.Others(node))
            other.Restart();
        node.WaitUntilReady();
        using HttpConnection stopped = HttpConnection.Open(node.HttpPort);
        stopped.Send("GET", "/none", default, "Prefer: wait=60");
        node.WaitUntilReady();
        node.Process.Terminate();
        HttpAnswer stopping = stopped.Receive();
        Assert.Equal(503, stopping.Status);
        Assert.Equal(0, node.Process.WaitForExit());
    }

    [Fact]
    public void Snapshot_that_is_installed_answers_waiting_reads()
    {
        using Cluster cluster = Cluster.Start(3, "--snapshot-every", "100");
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode late = cluster.Others(leader).First();
        using HttpConnection waiting = HttpConnection.Open(late.HttpPort);
        waiting.Send("GET", "/key", default, "Prefer: wait=60");
        late.WaitUntilReady();
        late.Process.Pause();
        Assert.Equal(204, leader.TryExchange("PUT", "/key", "1"u8)!.Status);
        byte[] value = new byte[1 << 20];
        Eventually.True(
            () =>
            {
                for (int i = 0; i < 20; i++)
                    leader.TryExchange("PUT", $"/big{i % 4}", value);
                return leader.Process.Lines.Count(line => line.Contains(" taken, ", StringComparison.Ordinal)) > 3;
            },
            () => $"the log is compacted, {leader}");
        late.Process.Resume();
        // The entry of the PUT is compacted, so nothing but the snapshot can tell the member of the key.
        Eventually.True(() => late.HasInstalledSnapshot, () => $"a snapshot is installed, {late}");
        HttpAnswer answer = waiting.Receive();
        Assert.Equal((200, "1"), (answer.Status, answer.Text));
    }

    private static (int Status, string Text, long Tag, string Preference) Seen(HttpAnswer answer) =>
        (answer.Status, answer.Text, answer.Tag, answer.Fields.GetValueOrDefault("Preference-Applied", ""));
}
