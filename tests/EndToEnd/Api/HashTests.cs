using System.Text.Json;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Api;

/// <summary>Hashes of the members' states, which the members compare by themselves too.</summary>
public sealed class HashTests
{
    /// <summary>Several times the period in which members compare their states.</summary>
    private static readonly TimeSpan ComparedWithin = TimeSpan.FromSeconds(60);

    [Fact]
    public void Members_have_the_same_hash_at_an_entry_that_is_still_to_come()
    {
        using Cluster cluster = Cluster.StartWithApi(3);
        ClusterNode leader = cluster.WaitForLeader();
        long ahead = IndexOf(Curl.Get(leader.ApiUrl("/v1/hash"))) + 20;
        CurlResult[] answers = new CurlResult[3];
        Thread[] askers = [.. Enumerable.Range(0, 3).Select(i => new Thread(
            () => answers[i] = Curl.Get(cluster.Nodes[i].ApiUrl($"/v1/hash?index={ahead}"))))];
        foreach (Thread asker in askers)
            asker.Start();
        for (int i = 0; askers.Any(asker => asker.IsAlive); i++)
            Assert.Equal(204, leader.TryExchange("PUT", $"/{i % 7}", [(byte)i])!.Status);
        Assert.All(answers, answer => Assert.Equal((200, ahead), (answer.Status, IndexOf(answer))));
        Assert.Single(answers.Select(answer => answer.Text).Distinct());
        Assert.Matches("^{\"index\":[0-9]+,\"hash\":\"[0-9a-f]{32}\"}$", answers[0].Text);
        // Each write changes the hash.
        Assert.NotEqual(answers[0].Text.Split("hash")[1], Curl.Get(leader.ApiUrl("/v1/hash")).Text.Split("hash")[1]);
    }

    [Fact]
    public void Hash_that_is_not_known_is_refused_with_the_reason()
    {
        using Cluster cluster = Cluster.StartWithApi(1, "--request-timeout", "300", "--snapshot-every", "5");
        ClusterNode node = cluster.Nodes[0];
        CurlResult ahead = Curl.Get(node.ApiUrl("/v1/hash?index=1000"));
        Assert.Equal((503, "1"), (ahead.Status, ahead.Header("Retry-After")));
        Assert.Contains("entry 1000 did not come", ahead.Text, StringComparison.Ordinal);
        foreach (string query in (string[])["?index=x", "?index=-1", "?index=", "?index=1&index=2", "?at=1"])
            Assert.Equal(400, Curl.Get(node.ApiUrl($"/v1/hash{query}")).Status);
        Assert.Equal(405, Curl.Run("-X", "POST", node.ApiUrl("/v1/hash")).Status);
        for (int i = 0; i < 20; i++)
            Assert.Equal(204, node.TryExchange("PUT", "/k", "v"u8)!.Status);
        Eventually.True(() => node.HasTakenSnapshot, () => $"{cluster}");
        node.Process.Terminate();
        node.Process.WaitForExit();
        node.Restart();
        node.WaitUntilReady();
        CurlResult old = Curl.Get(node.ApiUrl("/v1/hash?index=1"));
        Assert.Equal(410, old.Status);
        Assert.Contains("from entry ", old.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Member_whose_state_is_spoilt_stops_and_the_others_go_on()
    {
        using Cluster cluster = Cluster.StartWithApi(3, "--snapshot-every", "20");
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode spoilt = cluster.Others(leader).First();
        Assert.Equal(204, leader.TryExchange("PUT", "/k", "a value to be spoilt"u8)!.Status);
        for (int i = 0; !spoilt.HasTakenSnapshot; i++)
            Assert.Equal(204, leader.TryExchange("PUT", $"/{i % 7}", "v"u8)!.Status);
        spoilt.Process.Terminate();
        spoilt.Process.WaitForExit();
        SpoiltSnapshot.Write(spoilt.DataDirectory, "a value to be spoilt"u8);

        spoilt.Restart();
        Assert.Equal(1, spoilt.Process.WaitForExit(ComparedWithin));
        Assert.Contains(spoilt.Process.Lines, line =>
            line.Contains($"raftfast: the state of member {spoilt.Id} at entry ", StringComparison.Ordinal)
            && line.Contains("differs from the state of a majority", StringComparison.Ordinal));
        foreach (ClusterNode node in cluster.Others(spoilt))
        {
            Assert.True(node.Runs, $"{cluster}");
            Assert.Equal(204, node.TryExchange("PUT", "/k", "v"u8)!.Status);
            Assert.Matches("\nraftfast_state_comparisons_total [1-9]", Curl.Get(node.ApiUrl("/metrics")).Text);
        }
    }

    private static long IndexOf(CurlResult answer)
    {
        using JsonDocument document = JsonDocument.Parse(answer.Text);
        return document.RootElement.GetProperty("index").GetInt64();
    }
}
