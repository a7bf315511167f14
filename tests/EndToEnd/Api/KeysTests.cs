using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Api;

/// <summary>Lists of keys.</summary>
public sealed class KeysTests
{
    [Fact]
    public void Keys_are_listed_in_byte_order_with_tag_and_size()
    {
        using Cluster cluster = Cluster.StartWithApi(1);
        ClusterNode node = cluster.Nodes[0];
        Assert.Equal("{\"index\":", Lines(node, "")[0][..9]);
        foreach (string key in (string[])["/b", "/a%20b", "/a/2", "/a/10", "/a", "/a+b?c=\"d\"&e"])
            Assert.Equal(204, node.TryExchange("PUT", key, Encoding.ASCII.GetBytes(key))!.Status);
        Assert.Equal(204, node.TryExchange("PUT", "/deleted", "x"u8)!.Status);
        Assert.Equal(204, node.TryExchange("DELETE", "/deleted", default, "If-Match: *")!.Status);
        Assert.Equal(204, node.TryExchange("PUT", "/once", "x"u8, "Idempotency-Key: \"1\"")!.Status);
        Assert.Equal(204, node.TryExchange("PUT", "/gone", "x"u8, "RaftFast-TTL: 1")!.Status);
        Eventually.True(() => node.TryExchange("GET", "/gone")!.Status == 404, () => $"{cluster}");

        string[] lines = Lines(node, "?values=true");
        string[] expected = ["/a", "/a%2520b", "/a%2Bb?c=%22d%22%26e", "/a/10", "/a/2", "/b", "/once"];
        Assert.Equal(expected, lines[..^1].Select(line => Text(line, "key")));
        Assert.All(lines[..^1], line =>
        {
            string key = Uri.UnescapeDataString(Text(line, "key"));
            HttpAnswer answer = node.TryExchange("GET", key)!;
            Assert.Equal(Text(line, "tag"), $"{answer.Tag}");
            using JsonDocument document = JsonDocument.Parse(line);
            Assert.Equal(answer.Body.Length, document.RootElement.GetProperty("size").GetInt32());
            Assert.Equal(answer.Body, document.RootElement.GetProperty("value").GetBytesFromBase64());
        });
        Assert.DoesNotContain("value", string.Concat(Lines(node, "")), StringComparison.Ordinal);
        Assert.Equal(["/a/10", "/a/2"], Lines(node, "?prefix=/a/")[..^1].Select(line => Text(line, "key")));
        Assert.Equal(["/a%2520b"], Lines(node, "?prefix=/a%2520")[..^1].Select(line => Text(line, "key")));
        Assert.Equal(["/once"], Lines(node, "?after=/b")[..^1].Select(line => Text(line, "key")));
    }

    [Fact]
    public void Pages_follow_one_another_by_their_last_lines()
    {
        using Cluster cluster = Cluster.StartWithApi(1);
        ClusterNode node = cluster.Nodes[0];
        List<string> keys = [.. Enumerable.Range(0, 250).Select(i => $"/{i}%25")];
        keys.Add("/" + new string('%', 8_191));
        keys.Add("/" + new string('&', 8_191));
        using (HttpConnection connection = HttpConnection.Open(node.HttpPort))
        {
            foreach (string key in keys)
                Assert.Equal(204, connection.Exchange("PUT", key, "v"u8).Status);
        }
        List<string> listed = [];
        string after = "";
        long index = 0;
        int pages = 0;
        do
        {
            string[] lines = Lines(node, $"?limit=100&prefix=/{(pages % 2 == 0 ? "" : "&values=true")}&after={after}");
            listed.AddRange(lines[..^1].Select(line => Uri.UnescapeDataString(Text(line, "key"))));
            using JsonDocument end = JsonDocument.Parse(lines[^1]);
            Assert.True(end.RootElement.GetProperty("index").GetInt64() >= index);
            index = end.RootElement.GetProperty("index").GetInt64();
            after = end.RootElement.GetProperty("next").GetString() ?? "";
            pages++;
        }
        while (after.Length > 0);
        Assert.Equal(3, pages);
        Assert.Equal(keys.Order(StringComparer.Ordinal), listed);
    }

    [Fact]
    public void Wrong_parameter_is_a_problem_that_says_what_is_right()
    {
        using Cluster cluster = Cluster.StartWithApi(1);
        foreach ((string query, string right) in ((string, string)[])
        [
            ("?limit=0", "from 1 to 1000"),
            ("?limit=1001", "from 1 to 1000"),
            ("?limit=many", "from 1 to 1000"),
            ("?limit", "from 1 to 1000"),
            ("?values=yes", "true or false"),
            ("?prefix=users", "begin with '/'"),
            ("?after=users", "begin with '/'"),
            ("?after=/%2", "percent-encoded"),
            ("?prefix=/%zz", "percent-encoded"),
            ("?prefix=/" + new string('a', 8_192), "8192 at most"),
            ("?prefix=/a&prefix=/b", "twice"),
            ("?before=/a", "prefix, after, limit and values"),
        ])
        {
            CurlResult answer = Curl.Run(cluster.Nodes[0].ApiUrl("/v1/keys" + query));
            Assert.Equal((query, 400), (query, answer.Status));
            Assert.Equal("application/problem+json", answer.Header("Content-Type"));
            using JsonDocument problem = JsonDocument.Parse(answer.Body);
            Assert.Contains(right, problem.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
        Assert.Equal(405, Curl.Run("-X", "DELETE", cluster.Nodes[0].ApiUrl("/v1/keys")).Status);
        Assert.Equal("", Curl.Run("-I", cluster.Nodes[0].ApiUrl("/v1/keys")).Text);
    }

    /// <summary>The pages fill every buffer on the way, so the member still has them while the clients read.</summary>
    [Fact]
    public void Clients_that_read_a_byte_a_second_delay_no_snapshot_and_no_write()
    {
        using Cluster cluster = Cluster.StartWithApi(1, "--snapshot-every", "100");
        ClusterNode node = cluster.Nodes[0];
        using HttpConnection writer = HttpConnection.Open(node.HttpPort);
        byte[] value = new byte[100_000];
        for (int i = 0; i < 12; i++)
            Assert.Equal(204, writer.Exchange("PUT", $"/{i:d2}", value).Status);
        List<Socket> readers = [];
        try
        {
            for (int i = 0; i < 6; i++)
                readers.Add(AskAndReadOneByte(node));
            Eventually.True(() => PagesOf(node) == 6, () => $"{PagesOf(node)} pages");
            long before = Value(node, "raftfast_snapshot_index");
            while (Value(node, "raftfast_snapshot_index") < before + 200)
            {
                for (int i = 0; i < 50; i++)
                    Assert.Equal(204, writer.Exchange("PUT", "/11", "small"u8).Status);
                foreach (Socket reader in readers)
                    Assert.Equal(1, reader.Receive(new byte[1]));
            }
            Assert.Equal(6, PagesOf(node));
            // Another list is answered meanwhile.
            Assert.Equal(13, Lines(node, "").Length);
        }
        finally
        {
            readers.ForEach(reader => reader.Dispose());
        }
    }

    private static long PagesOf(ClusterNode node) => Value(node, "raftfast_queue_items{queue=\"api_pages\"}");

    private static long Value(ClusterNode node, string sample)
    {
        string line = Curl.Get(node.ApiUrl("/metrics")).Text.Split('\n')
            .Single(line => line.StartsWith(sample + " ", StringComparison.Ordinal));
        return long.Parse(line[(sample.Length + 1)..], CultureInfo.InvariantCulture);
    }

    private static Socket AskAndReadOneByte(ClusterNode node)
    {
        // The system takes one page from the member although the client's window is small, but not four pages.
        Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096, ReceiveTimeout = 20_000 };
        socket.Connect(IPAddress.Loopback, node.ApiPort);
        for (int i = 0; i < 4; i++)
            socket.Send("GET /v1/keys?values=true HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"u8);
        Assert.Equal(1, socket.Receive(new byte[1]));
        return socket;
    }

    private static string[] Lines(ClusterNode node, string query)
    {
        CurlResult answer = Curl.Run(node.ApiUrl("/v1/keys" + query));
        Assert.True((answer.ExitCode, answer.Status) == (0, 200), $"{answer}");
        Assert.Equal("application/jsonl", answer.Header("Content-Type"));
        string[] lines = answer.Text.Split('\n')[..^1];
        using JsonDocument end = JsonDocument.Parse(lines[^1]);
        Assert.Equal(answer.Header("RaftFast-Index"), $"{end.RootElement.GetProperty("index").GetInt64()}");
        return lines;
    }

    private static string Text(string line, string property)
    {
        using JsonDocument document = JsonDocument.Parse(line);
        return document.RootElement.GetProperty(property).GetString()!;
    }
}
