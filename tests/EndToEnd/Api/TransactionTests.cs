using System.Text;
using System.Text.Json;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Api;

/// <summary>Transactions over several keys.</summary>
public sealed class TransactionTests
{
    [Fact]
    public void Every_member_takes_a_transaction_and_answers_what_it_read()
    {
        using Cluster cluster = Cluster.StartWithApi(3);
        foreach (ClusterNode node in cluster.Nodes)
        {
            string at = $"/{node.Id}";
            Assert.Equal(204, node.TryExchange("PUT", $"{at}/read", "\u00ffbytes"u8)!.Status);
            Assert.Equal(204, node.TryExchange("PUT", $"{at}/gone/1", "x"u8)!.Status);
            Assert.Equal(204, node.TryExchange("PUT", $"{at}/gone/2", "x"u8)!.Status);
            long read = node.TryExchange("GET", $"{at}/read")!.Tag;
            using JsonDocument answer = Send(node, 200, $$"""
                {
                  "conditions": [{"key": "{{at}}/read", "tag": "{{read}}"}, {"key": "{{at}}/new", "exists": false}],
                  "operations": [
                    {"put": "{{at}}/new", "text": "text"}, {"put": "{{at}}/a%2520b", "value": "AAH/"},
                    {"deletePrefix": "{{at}}/gone/"}, {"delete": "{{at}}/absent"},
                    {"get": "{{at}}/read"}, {"get": "{{at}}/none"}
                  ]
                }
                """);
            long index = answer.RootElement.GetProperty("index").GetInt64();
            Assert.False(answer.RootElement.GetProperty("repeated").GetBoolean());
            JsonElement[] gets = [.. answer.RootElement.GetProperty("gets").EnumerateArray()];
            Assert.Equal($"{at}/read", gets[0].GetProperty("key").GetString());
            Assert.Equal($"{read}", gets[0].GetProperty("tag").GetString());
            Assert.Equal("\u00ffbytes"u8.ToArray(), gets[0].GetProperty("value").GetBytesFromBase64());
            Assert.Equal(JsonValueKind.Null, gets[1].GetProperty("tag").ValueKind);
            Assert.Equal(JsonValueKind.Null, gets[1].GetProperty("value").ValueKind);
            foreach (ClusterNode other in cluster.Nodes)
            {
                HttpAnswer written = other.TryExchange("GET", $"{at}/new")!;
                Assert.Equal(("text", index), (written.Text, written.Tag));
                HttpAnswer binary = other.TryExchange("GET", $"{at}/a%20b")!;
                Assert.Equal([0, 1, 255], binary.Body);
                Assert.Equal(index, binary.Tag);
                Assert.Equal(404, other.TryExchange("GET", $"{at}/gone/1")!.Status);
                Assert.Equal(404, other.TryExchange("GET", $"{at}/gone/2")!.Status);
            }
        }
    }

    [Fact]
    public void Condition_that_does_not_hold_is_named_and_nothing_is_changed()
    {
        using Cluster cluster = Cluster.StartWithApi(1);
        ClusterNode node = cluster.Nodes[0];
        Assert.Equal(204, node.TryExchange("PUT", "/a", "old"u8)!.Status);
        using JsonDocument problem = Send(node, 412, """
            {
              "conditions": [{"key": "/a", "exists": true}, {"key": "/b", "exists": true}],
              "operations": [{"put": "/a", "text": "new"}]
            }
            """);
        Assert.Equal(1, problem.RootElement.GetProperty("part").GetInt32());
        Assert.True(problem.RootElement.GetProperty("index").GetInt64() > 0);
        Assert.Equal("old", node.TryExchange("GET", "/a")!.Text);
    }

    [Fact]
    public void Retry_with_the_same_idempotency_key_gets_the_first_outcome()
    {
        using Cluster cluster = Cluster.StartWithApi(1);
        ClusterNode node = cluster.Nodes[0];
        const string Body = """{"operations": [{"put": "/a", "text": "first"}, {"get": "/b"}]}""";
        const string Key = "Idempotency-Key: \"one\"";
        using JsonDocument first = Send(node, 200, Body, Key);
        Assert.Equal(1, first.RootElement.GetProperty("gets").GetArrayLength());
        Assert.Equal(204, node.TryExchange("PUT", "/a", "second"u8)!.Status);
        using JsonDocument retry = Send(node, 200, Body, Key);
        Assert.True(retry.RootElement.GetProperty("repeated").GetBoolean());
        Assert.Equal(
            first.RootElement.GetProperty("index").GetInt64(), retry.RootElement.GetProperty("index").GetInt64());
        Assert.Equal("second", node.TryExchange("GET", "/a")!.Text);
        Send(node, 422, """{"operations": [{"put": "/a", "text": "other"}]}""", Key).Dispose();
        Assert.Equal(422, node.TryExchange("PUT", "/a", "x"u8, Key)!.Status);
        Send(node, 400, Body, "Idempotency-Key: \"").Dispose();
    }

    [Fact]
    public void Waiting_read_and_watch_learn_of_each_changed_key()
    {
        using Cluster cluster = Cluster.StartWithApi(1);
        ClusterNode node = cluster.Nodes[0];
        Assert.Equal(204, node.TryExchange("PUT", "/p/1", "x"u8)!.Status);
        long tag = node.TryExchange("GET", "/p/1")!.Tag;
        using HttpConnection onPut = HttpConnection.Open(node.HttpPort);
        using HttpConnection onDelete = HttpConnection.Open(node.HttpPort);
        onPut.Send("GET", "/b", default, "Prefer: wait=20");
        onDelete.Send("GET", "/p/1", default, $"If-None-Match: \"{tag}\"", "Prefer: wait=20");
        Eventually.True(
            () => Curl.Get(node.ApiUrl("/metrics")).Text.Contains(
                "raftfast_queue_items{queue=\"waiting_reads\"} 2", StringComparison.Ordinal),
            () => "both wait");
        using JsonDocument answer = Send(
            node, 200,
            """{"operations": [{"put": "/a", "text": "1"}, {"put": "/b", "text": "2"}, {"deletePrefix": "/p/"}]}""");
        long index = answer.RootElement.GetProperty("index").GetInt64();
        Assert.Equal(("2", index), (onPut.Receive() is var put ? put.Text : "", put.Tag));
        Assert.Equal(404, onDelete.Receive().Status);
        CurlResult watch = Curl.Run("--max-time", "2", node.ApiUrl($"/v1/watch?after={index - 1}"));
        string[] events = [.. watch.Text.Split('\n').Where(line => line.StartsWith("id:", StringComparison.Ordinal))];
        Assert.Equal([$"id: {index}"], events);
        foreach (string key in (string[])["/a", "/b", "/p/1"])
            Assert.Contains($"\"key\":\"{key}\"", watch.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_body_is_a_problem_that_says_what_is_right()
    {
        using Cluster cluster = Cluster.StartWithApi(1);
        ClusterNode node = cluster.Nodes[0];
        string put = """{"put":"/a","text":""}""";
        foreach ((string body, string right) in ((string, string)[])
        [
            ("", "no transaction"),
            ("null", "null"),
            ("[]", "no transaction"),
            ("{}", "no transaction"),
            ("""{"operations":[]}""", "operations has 0"),
            ("""{"operations":null}""", "$.operations"),
            ("""{"operations":[null]}""", "operations[0]"),
            ($$"""{"operations":[{{put}}],"conditions":[null]}""", "conditions[0]"),
            ($$"""{"operations":[{{put}}],"more":1}""", "no transaction at"),
            ($$"""{"operations":[{{put}}],"operations":[{{put}}]}""", "no transaction at"),
            ("""{"operations":[{"put":"/a"}]}""", "operations[0] must have exactly one of value"),
            ("""{"operations":[{"put":"/a","text":"x","value":"eA=="}]}""", "exactly one of value"),
            ("""{"operations":[{"put":"/a","value":"x"}]}""", "$.operations[0].value"),
            ("""{"operations":[{"put":"/a","get":"/b"}]}""", "one of put, delete, get and deletePrefix"),
            ("""{"operations":[{}]}""", "one of put, delete, get and deletePrefix"),
            ("""{"operations":[{"get":"/a","ttl":5}]}""", "only a put may have"),
            ("""{"operations":[{"put":"/a","text":"x","ttl":0}]}""", "the ttl 0"),
            ("""{"operations":[{"get":"a"}]}""", "begin with '/'"),
            ("""{"operations":[{"get":""}]}""", "begin with '/'"),
            ("""{"operations":[{"get":"/ä"}]}""", "percent-encoded"),
            ("""{"operations":[{"get":"/%2"}]}""", "percent-encoded"),
            ($$"""{"operations":[{"get":"/{{new string('a', 8192)}}"}]}""", "8192 at most"),
            ("""{"operations":[{"get":"/a"},{"put":"/%61","text":"x"}]}""", "another operation"),
            ("""{"operations":[{"deletePrefix":"/a"},{"get":"/ab"}]}""", "another operation"),
            ("""{"operations":[{"get":"/ab"},{"deletePrefix":"/a"}]}""", "another operation"),
            ("""{"operations":[{"deletePrefix":"/ab"},{"deletePrefix":"/a"}]}""", "another operation"),
            ($$"""{"operations":[{{put}}],"conditions":[{"key":"/a"}]}""", "exactly one of exists and tag"),
            ($$"""{"operations":[{{put}}],"conditions":[{"key":"/a","exists":true,"tag":"1"}]}""",
                "exactly one of exists and tag"),
            ($$"""{"operations":[{{put}}],"conditions":[{"key":"/a","tag":"x"}]}""", "the tag 'x'"),
            ($$"""{"operations":[{{put}}],"conditions":[{"key":"/a","tag":"0"}]}""", "\"exists\":false"),
            ($$"""{"operations":[{{string.Join(',', Enumerable.Repeat("{}", 10_000))}}]}""", "too many parts"),
            ($$"""{"operations":[{{put}}],"conditions":[{"key":"/a","tag":"{{new string('<', 100_000)}}"}]}""",
                "the tag '<<"),
            ($$"""{"operations":[{{put}}],"conditions":[{"exists":true}]}""", "$.conditions[0]"),
            ($$"""{"operations":[{{put}}],"conditions":[{"key":"/a","exists":true},{"key":"/a","tag":"1"}]}""",
                "second condition"),
            ("""{"operations":[""" + string.Join(',', Enumerable.Range(0, 129).Select(i => $$"""{"get":"/{{i}}"}"""))
                + "]}",
                "operations has 129"),
        ])
        {
            using JsonDocument problem = Send(node, 400, body);
            Assert.Contains(right, problem.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
        Assert.Equal(405, Curl.Run(node.ApiUrl("/v1/txn")).Status);
        Assert.Equal(400, Curl.Run("--data", "{}", node.ApiUrl("/v1/txn?x=1")).Status);
    }

    [Fact]
    public void Too_large_transaction_is_answered_413()
    {
        using Cluster cluster = Cluster.StartWithApi(1);
        ClusterNode node = cluster.Nodes[0];
        string value = Convert.ToBase64String(new byte[(1 << 20) - 2]);
        Send(node, 200, $$"""{"operations":[{"put":"/a","value":"{{value}}"}]}""").Dispose();
        Send(node, 413, $$"""{"operations":[{"put":"/a","value":"{{value}}"},{"get":"/b"}]}""").Dispose();
        // A body over the limit, with its length and without.
        byte[] large = Encoding.ASCII.GetBytes(
            $$"""{"operations":[{"put":"/a","text":"{{new string('x', 4 << 20)}}"}]}""");
        Assert.Equal(413, Curl.RunWithInput(large, "--data-binary", "@-", node.ApiUrl("/v1/txn")).Status);
        Assert.Equal(413, Curl.RunWithInput(
            large, "-X", "POST", "-H", "Transfer-Encoding: chunked", "--data-binary", "@-",
            node.ApiUrl("/v1/txn")).Status);
        using HttpConnection connection = HttpConnection.Open(node.HttpPort);
        for (int i = 0; i <= 1000; i++)
            Assert.Equal(204, connection.Exchange("PUT", $"/p/{i}").Status);
        using JsonDocument problem = Send(
            node, 413, """{"operations":[{"put":"/b","text":"x"},{"deletePrefix":"/p/"}]}""");
        Assert.Equal(1, problem.RootElement.GetProperty("part").GetInt32());
        Assert.Equal(404, node.TryExchange("GET", "/b")!.Status);
    }

    [Fact]
    public void Without_a_majority_it_is_answered_as_a_write_is()
    {
        using Cluster cluster = Cluster.StartWithApi(3, "--request-timeout", "500");
        ClusterNode node = cluster.WaitForLeader();
        foreach (ClusterNode other in cluster.Others(node))
            other.Kill();
        CurlResult answer = Curl.RunWithInput(
            """{"operations":[{"put":"/a","text":"x"}]}"""u8.ToArray(), "--data-binary", "@-", node.ApiUrl("/v1/txn"));
        Assert.True(answer.Status is 503 or 504, answer.ToString());
        Assert.Equal("application/problem+json", answer.Header("Content-Type"));
    }

    [Fact]
    public void Transaction_in_progress_is_answered_before_a_stop_ends_its_connection()
    {
        using Cluster cluster = Cluster.StartWithApi(3, "--request-timeout", "1000");
        ClusterNode node = cluster.WaitForLeader();
        foreach (ClusterNode other in cluster.Others(node))
            other.Kill();
        using HttpConnection connection = HttpConnection.Open(node.ApiPort);
        connection.Send("POST", "/v1/txn", """{"operations":[{"put":"/a","text":"x"}]}"""u8);
        Eventually.True(
            () => Curl.Get(node.ApiUrl("/metrics")).Text.Contains(
                "raftfast_queue_items{queue=\"transactions\"} 1", StringComparison.Ordinal),
            () => $"the transaction waits, {node}");
        node.Process.Terminate();
        HttpAnswer answer = connection.Receive();
        Assert.True(answer.Status is 503 or 504, answer.Text);
        Assert.Equal(0, node.Process.WaitForExit());
    }

    private static JsonDocument Send(ClusterNode node, int status, string body, string? header = null)
    {
        string[] headers = header is null ? [] : ["-H", header];
        CurlResult answer = Curl.RunWithInput(
            Encoding.UTF8.GetBytes(body), [.. headers, "--data-binary", "@-", node.ApiUrl("/v1/txn")]);
        Assert.True(answer.Status == status, $"{body[..Math.Min(body.Length, 200)]}: {answer.Status} {answer.Text}");
        Assert.Equal(status == 200 ? "application/json" : "application/problem+json", answer.Header("Content-Type"));
        return JsonDocument.Parse(answer.Body);
    }
}
