using System.Text;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Keys;

public sealed class IdempotencyTests
{
    [Fact]
    public void Retry_at_any_member_gets_the_first_outcome_also_after_restarts_and_snapshots()
    {
        using Cluster cluster = Cluster.Start(3, "--snapshot-every", "20");
        long tag = cluster.Nodes[0].TryExchange("PUT", "/key", "1"u8, "Idempotency-Key: \"a\"")!.Tag;
        HttpAnswer failed = cluster.Nodes[1].TryExchange(
            "PUT", "/key", "2"u8, "Idempotency-Key: \"b\"", "If-None-Match: *")!;
        Assert.Equal((412, tag), (failed.Status, failed.Tag));
        Assert.Equal(204, cluster.Nodes[2].TryExchange("PUT", "/key", "3"u8)!.Status);
        Check();
        for (int i = 0; i < 60; i++)
            Assert.Equal(204, cluster.Nodes[0].TryExchange("PUT", "/other", "x"u8)!.Status);
        cluster.KillAll();
        foreach (ClusterNode node in cluster.Nodes)
            node.Restart();
        cluster.WaitUntilReady();
        Check();

        void Check()
        {
            foreach (ClusterNode node in cluster.Nodes)
            {
                HttpAnswer retry = node.TryExchange("PUT", "/key", "1"u8, "Idempotency-Key: a")!;
                Assert.Equal((204, tag), (retry.Status, retry.Tag));
                HttpAnswer again = node.TryExchange(
                    "PUT", "/key", "2"u8, "Idempotency-Key: \"b\"", "If-None-Match: *")!;
                Assert.Equal((412, tag), (again.Status, again.Tag));
                foreach (string[] other in Others)
                {
                    byte[] body = Encoding.ASCII.GetBytes(other[2]);
                    Assert.Equal(422, node.TryExchange(other[0], other[1], body, other.AsSpan(3))!.Status);
                }
                Assert.Equal("3", node.TryExchange("GET", "/key")!.Text);
            }
        }
    }

    private static readonly string[][] Others =
    [
        ["PUT", "/key", "2", "Idempotency-Key: a"],
        ["PUT", "/key2", "1", "Idempotency-Key: a"],
        ["PUT", "/key", "1", "Idempotency-Key: a", "If-Match: *"],
        ["PUT", "/key", "1", "Idempotency-Key: a", "RaftFast-TTL: 5"],
        ["DELETE", "/key", "", "Idempotency-Key: a", "If-Match: *"],
    ];

    /// <summary>The bound is met, new keys are refused and known ones answered, until the window has passed.</summary>
    [Fact]
    public void Table_that_is_full_refuses_new_keys_until_old_ones_are_forgotten()
    {
        using Cluster cluster = Cluster.Start(
            1, "--idempotency-memory", "16MiB", "--idempotency-window", "30");
        ClusterNode node = cluster.Nodes[0];
        using HttpConnection connection = HttpConnection.Open(node.HttpPort);
        int written = 0;
        HttpAnswer? refused = null;
        while (refused is null && written < 200_000)
        {
            const int Batch = 500;
            connection.SendRaw(Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(written, Batch).Select(
                i => "PUT /key HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                    + $"Idempotency-Key: \"{i}\"\r\nContent-Length: 1\r\n\r\n1"))));
            for (int i = 0; i < Batch; i++)
            {
                HttpAnswer answer = connection.Receive();
                if (answer.Status != 204)
                    refused ??= answer;
                else
                    written++;
            }
        }
        Assert.Equal(503, refused!.Status);
        Assert.Equal("1", refused.Fields["Retry-After"]);
        Assert.Contains("too many idempotency keys", refused.Text, StringComparison.Ordinal);
        Assert.InRange(written, 80_000, 100_000);
        Assert.Equal(204, connection.Exchange("PUT", "/key", "1"u8, "Idempotency-Key: \"0\"").Status);
        Assert.Equal(204, connection.Exchange("PUT", "/key", "1"u8).Status);
        Eventually.True(
            () => connection.Exchange("PUT", "/key", "1"u8, "Idempotency-Key: \"new\"").Status == 204,
            TimeSpan.FromSeconds(60), () => $"outcomes are forgotten, {node}");
    }

    /// <summary>Requests without a key do not shorten the time for which an outcome is remembered.</summary>
    [Fact]
    public void Many_requests_without_a_key_make_no_outcome_forgotten()
    {
        using Cluster cluster = Cluster.Start(1, "--idempotency-memory", "16MiB");
        using HttpConnection connection = HttpConnection.Open(cluster.Nodes[0].HttpPort);
        HttpAnswer first = connection.Exchange("PUT", "/key", "1"u8, "Idempotency-Key: \"first\"");
        byte[] puts = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat(
            "PUT /key HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\n\r\n2", 500)));
        for (int round = 0; round < 1_000; round++)
        {
            connection.SendRaw(puts);
            for (int i = 0; i < 500; i++)
                Assert.Equal(204, connection.Receive().Status);
        }
        HttpAnswer retry = connection.Exchange("PUT", "/key", "1"u8, "Idempotency-Key: \"first\"");
        Assert.Equal((204, first.Tag), (retry.Status, retry.Tag));
        Assert.Equal("2", connection.Exchange("GET", "/key").Text);
    }
}
