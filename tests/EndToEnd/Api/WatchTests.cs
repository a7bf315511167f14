using System.Globalization;
using System.Text.Json;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Api;

public sealed class WatchTests
{
    [Fact]
    public void Follower_tells_puts_deletions_and_expiries_under_the_prefix_in_order()
    {
        using Cluster cluster = Cluster.StartWithApi(3);
        ClusterNode leader = cluster.WaitForLeader();
        using WatchClient watch = WatchClient.Open(cluster.Others(leader).First(), "?prefix=/a%2520&values=true");
        WatchEvent begin = watch.Next()!;
        Assert.Equal((200, "text/event-stream"), (watch.Status, watch.ContentType));
        Assert.Equal($"{{\"index\":{begin.Id}}}", begin.Data);

        long first = Done(leader, "PUT", "/a%20b", "abc");
        Done(leader, "PUT", "/b", "other");
        long timed = Done(leader, "PUT", "/a%20t", "", "RaftFast-TTL: 1");
        Assert.Equal(412, leader.TryExchange("PUT", "/a%20b", "refused"u8, "If-None-Match: *")!.Status);
        Done(leader, "DELETE", "/a%20b", "", "If-Match: *");

        AssertEvent(watch, first, $$"""{"key":"/a%2520b","type":"put","tag":"{{first}}","size":3,"value":"YWJj"}""");
        AssertEvent(watch, timed, $$"""{"key":"/a%2520t","type":"put","tag":"{{timed}}","size":0,"value":""}""");
        AssertEvent(watch, null, """{"key":"/a%2520b","type":"delete"}""");
        AssertEvent(watch, null, """{"key":"/a%2520t","type":"expiry"}""");
    }

    [Fact]
    public void History_is_filled_from_the_log_at_a_start_and_the_last_id_wins()
    {
        using Cluster cluster = Cluster.StartWithApi(1);
        ClusterNode node = cluster.Nodes[0];
        long[] tags = [.. Enumerable.Range(0, 20).Select(i => Done(node, "PUT", $"/{i}", $"{i}"))];
        string[] before = Events(node, "?after=0", tags.Length);
        node.Kill();
        node.Restart();
        node.WaitUntilReady();

        Assert.Equal(before, Events(node, "?after=0", tags.Length));
        Assert.Equal(before[8..], Events(node, $"?after={tags[7]}", 12));
        Assert.Equal(before[15..], Events(node, "?after=0", 5, $"{tags[14]}"));
    }

    [Fact]
    public void Place_that_the_history_has_lost_is_gone_and_says_where_to_list_anew()
    {
        using Cluster cluster = Cluster.StartWithApi(1, "--watch-history", "4MiB");
        ClusterNode node = cluster.Nodes[0];
        long first = Done(node, "PUT", "/first", "");
        using WatchClient stuck = WatchClient.Open(node, $"?after={first}&values=true");
        using (HttpConnection connection = HttpConnection.Open(node.HttpPort))
        {
            for (int i = 0; i < 2_000; i++)
                Assert.Equal(204, connection.Exchange("PUT", "/big", new byte[16 * 1024]).Status);
        }
        long last = 0;
        WatchEvent? seen;
        while ((seen = stuck.Next()) is { Type: "message" })
        {
            Assert.True(last == 0 || Index(seen) == last + 1, $"{seen.Id} after {last}");
            last = Index(seen);
        }
        Assert.Equal($"{{\"index\":{last},\"list\":\"/v1/keys?prefix=\"}}", seen?.Data);
        Assert.Equal("gone", seen!.Type);
        Assert.Null(stuck.Next());

        CurlResult gone = Curl.Run("-H", $"Last-Event-ID: {first}", node.ApiUrl("/v1/watch"));
        Assert.Equal(410, gone.Status);
        Assert.Equal("application/problem+json", gone.Header("Content-Type"));
        Assert.Contains("GET /v1/keys", gone.Text, StringComparison.Ordinal);
        Assert.Contains(
            "raftfast_watches_gone_total 1\n", Curl.Get(node.ApiUrl("/metrics")).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Installed_snapshot_ends_a_watch()
    {
        using Cluster cluster = Cluster.StartWithApi(3, "--snapshot-every", "100");
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode away = cluster.Others(leader).First();
        using WatchClient watch = WatchClient.Open(away, "?prefix=/");
        Assert.Equal("begin", watch.Next()!.Type);
        away.Process.Pause();
        string newest = Segments(leader)[^1];
        for (int i = 0; string.CompareOrdinal(Segments(leader)[0], newest) <= 0; i++)
            Done(leader, "PUT", $"/{i % 10}", new string('v', 64 * 1024));
        away.Process.Resume();
        WatchEvent? last = null;
        for (WatchEvent? next = watch.Next(); next is not null; next = watch.Next())
            last = next;
        Eventually.True(() => away.HasInstalledSnapshot, () => $"a line says so, {cluster}");
        Assert.Equal("gone", last!.Type);
    }

    [Fact]
    public void Wrong_requests_are_problems_and_too_many_watches_wait_outside()
    {
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        node.StartFromShell(
            "ulimit -n 512; exec \"$0\" \"$@\"", cluster.Urls, "--api", $"127.0.0.1:{node.ApiPort}");
        node.WaitUntilReady();
        Refused(400, "after", "?after=-1");
        Refused(400, "after", "?after=x");
        Refused(400, "prefix", "?prefix=users");
        Refused(400, "prefix", "?prefix=/%zz");
        Refused(400, "values", "?values=1");
        Refused(400, "limit", "?limit=1");
        Refused(400, "twice", "?after=1&after=2");
        Assert.Equal(400, Curl.Run("-H", "Last-Event-ID: x", node.ApiUrl("/v1/watch")).Status);
        Assert.Equal(405, Curl.Run("-X", "POST", node.ApiUrl("/v1/watch")).Status);

        List<WatchClient> watches = [];
        try
        {
            for (int i = 0; i < 512 / 16; i++)
            {
                watches.Add(WatchClient.Open(node, $"?prefix=/{i}"));
                Assert.Equal(200, watches[^1].Status);
            }
            Refused(503, "32 watches", "");
            watches[0].Dispose();
            Eventually.True(() => IsFree(node), () => $"{cluster}");
        }
        finally
        {
            watches.ForEach(watch => watch.Dispose());
        }

        void Refused(int status, string detail, string query)
        {
            CurlResult answer = Curl.Get(node.ApiUrl($"/v1/watch{query}"));
            Assert.Equal(status, answer.Status);
            Assert.Contains(detail, answer.Text, StringComparison.Ordinal);
        }
    }

    private static bool IsFree(ClusterNode node)
    {
        using WatchClient watch = WatchClient.Open(node, "");
        return watch.Status == 200;
    }

    private static string[] Segments(ClusterNode node) =>
        [.. Directory.GetFiles(node.DataDirectory, "wal-*.log").Order(StringComparer.Ordinal)];

    private static long Index(WatchEvent seen) => long.Parse(seen.Id!, CultureInfo.InvariantCulture);

    private static string[] Events(ClusterNode node, string query, int count, string? lastEventId = null)
    {
        using WatchClient watch = WatchClient.Open(node, query, lastEventId);
        return [.. Enumerable.Range(0, count).Select(_ => watch.Next()!.Data)];
    }

    private static void AssertEvent(WatchClient watch, long? index, string change)
    {
        WatchEvent seen = watch.Next()!;
        Assert.Equal($"{{\"index\":{seen.Id},\"changes\":[{change}]}}", seen.Data);
        if (index is { } known)
            Assert.Equal($"{known}", seen.Id);
        using JsonDocument data = JsonDocument.Parse(seen.Data);
        Assert.Equal(1, data.RootElement.GetProperty("changes").GetArrayLength());
    }

    private static long Done(ClusterNode node, string method, string target, string value, params string[] fields)
    {
        HttpAnswer answer = node.TryExchange(method, target, System.Text.Encoding.ASCII.GetBytes(value), fields)!;
        Assert.Equal(204, answer.Status);
        return answer.Tag;
    }
}
