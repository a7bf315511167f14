using System.Globalization;
using System.Text.RegularExpressions;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Api;

public sealed partial class MetricsTests
{
    [Fact]
    public void Promtool_accepts_the_metrics_of_leader_and_follower()
    {
        Promtool.SkipIfMissing();
        using Cluster cluster = StartWithWrites();
        foreach (ClusterNode node in cluster.Nodes)
            Promtool.AssertAccepts(Scrape(node));
    }

    /// <summary>A node that waits to be added starts, for as long as the test looks.</summary>
    [Fact]
    public void Promtool_accepts_the_metrics_of_a_node_that_starts()
    {
        Promtool.SkipIfMissing();
        using Cluster cluster = Cluster.Prepare(2);
        ClusterNode waiting = cluster.Nodes[1];
        waiting.Start(cluster.Urls, "--join", "--api", $"127.0.0.1:{waiting.ApiPort}");
        Eventually.True(
            () => Curl.Get(waiting.ApiUrl("/readyz")).Text.StartsWith(
                "failed  start: waiting to be added to a cluster: POST ", StringComparison.Ordinal),
            () => $"it waits, {waiting}");

        string metrics = Scrape(waiting);
        Promtool.AssertAccepts(metrics);
        Assert.Contains("raftfast_recovery_bytes{phase=\"snapshot\"} 0\n", metrics, StringComparison.Ordinal);
        Assert.Equal(200, Curl.Get(waiting.ApiUrl("/livez")).Status);
    }

    [Fact]
    public void Every_bounded_queue_of_the_architecture_is_reported()
    {
        using Cluster cluster = StartWithWrites();
        string metrics = Scrape(cluster.Nodes[0]);
        string table = File.ReadAllText(Repository.PathOf("docs", "ARCHITECTURE.md"));
        table = table[table.IndexOf("| bounded | by |", StringComparison.Ordinal)..];
        table = table[..table.IndexOf("\n\n", StringComparison.Ordinal)];
        string[] rows = table.Split('\n')[2..];
        Assert.True(rows.Length >= 15, $"the table has {rows.Length} rows");
        foreach (string row in rows)
        {
            Match queue = Queue().Match(row);
            Assert.True(queue.Success, $"no queue of /metrics stands in this row: {row}");
            Assert.Matches($"raftfast_queue_(bytes|items){{queue=\"{queue.Groups[1].Value}\"", metrics);
        }
    }

    [Fact]
    public void Metrics_count_what_happened()
    {
        using Cluster cluster = StartWithWrites();
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode follower = cluster.Others(leader).First();

        Assert.Equal(20, Value(leader, "raftfast_requests_total{method=\"PUT\",status=\"204\"}"));
        Assert.Equal(405, Curl.Run("-X", "PATCH", leader.Url("/k")).Status);
        Assert.Equal(1, Value(leader, "raftfast_requests_total{method=\"other\",status=\"405\"}"));
        Assert.Equal(1, Value(leader, "raftfast_role{role=\"leader\"}"));
        Assert.Equal(0, Value(follower, "raftfast_role{role=\"leader\"}"));
        Assert.Equal(leader.Id, Value(follower, "raftfast_leader"));
        Assert.Equal(20, Value(leader, "raftfast_keys"));
        Assert.True(Value(leader, "raftfast_elections_won_total") >= 1);
        Assert.True(Value(leader, "raftfast_commit_duration_seconds_count") >= 20);
        Assert.True(Value(leader, "raftfast_commit_duration_seconds_sum") > 0);
        Assert.Equal(0, Value(follower, "raftfast_commit_duration_seconds_count"));
        Assert.True(Value(follower, "raftfast_apply_duration_seconds_count") >= 20);
        Assert.True(Value(follower, "raftfast_log_sync_duration_seconds_count") >= 1);
        Assert.True(Value(leader, "raftfast_log_index{position=\"applied\"}") >= 21);
        Eventually.True(
            () => Value(leader, $"raftfast_follower_lag_entries{{peer=\"{follower.Id}\"}}") == 0,
            () => Scrape(leader));
        Assert.Equal(
            1, Value(leader, $"raftfast_follower_state{{peer=\"{follower.Id}\",state=\"replicate\"}}"));
        Assert.True(Value(leader, "process_open_fds") > 5);
    }

    private static Cluster StartWithWrites()
    {
        Cluster cluster = Cluster.StartWithApi(3);
        ClusterNode leader = cluster.WaitForLeader();
        for (int i = 0; i < 20; i++)
            Assert.Equal(204, leader.TryExchange("PUT", $"/{i}", "value"u8)!.Status);
        return cluster;
    }

    private static string Scrape(ClusterNode node)
    {
        CurlResult answer = Curl.Get(node.ApiUrl("/metrics"));
        Assert.Equal(200, answer.Status);
        Assert.StartsWith("text/plain; version=0.0.4", answer.Header("Content-Type"), StringComparison.Ordinal);
        return answer.Text;
    }

    private static double Value(ClusterNode node, string sample)
    {
        string[] lines = Scrape(node).Split('\n');
        string line = Assert.Single(lines, line => line.StartsWith(sample + " ", StringComparison.Ordinal));
        return double.Parse(line[sample.Length..], CultureInfo.InvariantCulture);
    }

    /// <summary>The last column of a row.</summary>
    [GeneratedRegex(@"\| `(\w+)` \|$")]
    private static partial Regex Queue();
}
