using System.Text.Json;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Api;

public sealed class StatusTests
{
    [Fact]
    public void Leader_and_followers_tell_who_is_there_and_how_far()
    {
        using Cluster cluster = Cluster.StartWithApi(3);
        ClusterNode leader = cluster.WaitForLeader();
        Assert.Equal(204, leader.TryExchange("PUT", "/k", "v"u8)!.Status);
        foreach (ClusterNode node in cluster.Nodes)
        {
            // A member knows another member's addresses once the other member has dialled.
            Eventually.True(() => Knows(node, cluster), () => Curl.Get(node.ApiUrl("/v1/members")).Text);
            JsonElement status = Get(node, "/v1/status");
            Assert.Equal(node.Id, status.GetProperty("id").GetInt32());
            Assert.Equal(leader.Id, status.GetProperty("leader").GetInt32());
            Assert.Equal(node == leader ? "leader" : "follower", status.GetProperty("role").GetString());
            Assert.Equal(node.Url(""), status.GetProperty("clientUrl").GetString());
            Assert.Empty(status.GetProperty("ails").EnumerateArray());
        }
        Eventually.True(
            () => Members(leader).All(member =>
                member.GetProperty("lagEntries").GetInt64() == 0
                && member.GetProperty("lastContactSeconds").GetDouble() < 1),
            () => Curl.Get(leader.ApiUrl("/v1/members")).Text);
        // Without the leader a follower does not claim to know the others' lag.
        ClusterNode follower = cluster.Others(leader).First();
        JsonElement other = Members(follower).Single(member =>
            !member.GetProperty("isSelf").GetBoolean() && member.GetProperty("role").GetString() != "leader");
        Assert.Equal(JsonValueKind.Null, other.GetProperty("lagEntries").ValueKind);
    }

    [Fact]
    public void A_dead_member_ails_in_the_leader_s_words()
    {
        using Cluster cluster = Cluster.StartWithApi(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode dead = cluster.Others(leader).First();
        dead.Kill();

        Eventually.True(
            () => MemberOf(leader, dead).GetProperty("ails").EnumerateArray()
                .Any(ail => ail.GetString()!.StartsWith("Not connected", StringComparison.Ordinal)),
            () => Curl.Get(leader.ApiUrl("/v1/members")).Text);
        Eventually.True(
            () => MemberOf(leader, dead).GetProperty("lastContactSeconds").GetDouble() >= 1,
            () => Curl.Get(leader.ApiUrl("/v1/members")).Text);
    }

    [Fact]
    public void Leadership_goes_to_the_member_that_the_operator_names()
    {
        using Cluster cluster = Cluster.StartWithApi(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode next = cluster.Others(leader).Last();

        Assert.Equal(400, Post(leader, "?to=x").Status);
        Assert.Equal(400, Post(leader, "?from=2").Status);
        Assert.Equal(409, Post(leader, "?to=99").Status);
        Assert.Equal(405, Curl.Get(leader.ApiUrl("/v1/leader")).Status);
        Assert.Equal(403, Curl.Run(
            "-X", "POST", "-H", "Origin: http://evil.example", leader.ApiUrl($"/v1/leader?to={next.Id}")).Status);
        Assert.Equal(200, Post(leader, $"?to={leader.Id}").Status);
        Eventually.True(() => Knows(next, cluster), () => $"{cluster}");
        CurlResult elsewhere = Post(next, $"?to={next.Id}");
        Assert.Equal(409, elsewhere.Status);
        Assert.Contains(leader.ApiUrl("/v1/leader"), elsewhere.Text, StringComparison.Ordinal);

        CurlResult moved = Post(leader, $"?to={next.Id}");
        Assert.Equal(200, moved.Status);
        Assert.Equal($"{{\"leader\":{next.Id}}}", moved.Text);
        Assert.Equal(next.Id, Get(leader, "/v1/status").GetProperty("leader").GetInt32());
        Assert.Equal(204, next.TryExchange("PUT", "/k", "v"u8)!.Status);

        CurlResult away = Post(next, "");
        Assert.Equal(200, away.Status);
        Assert.NotEqual($"{{\"leader\":{next.Id}}}", away.Text);
    }

    private static CurlResult Post(ClusterNode node, string query) =>
        Curl.Run("-X", "POST", node.ApiUrl($"/v1/leader{query}"));

    private static bool Knows(ClusterNode node, Cluster cluster) => Members(node).Count() == cluster.Nodes.Count
        && cluster.Nodes.All(other => MemberOf(node, other) is var member
            && member.GetProperty("apiUrl").GetString() == other.ApiUrl("")
            && member.GetProperty("clientUrl").GetString() == other.Url("")
            && member.GetProperty("peerUrl").GetString() == other.PeerUrl
            && member.GetProperty("version").GetString() == "0.1.0");

    private static JsonElement MemberOf(ClusterNode node, ClusterNode other) =>
        Members(node).Single(member => member.GetProperty("id").GetInt32() == other.Id);

    private static JsonElement.ArrayEnumerator Members(ClusterNode node) =>
        Get(node, "/v1/members").GetProperty("members").EnumerateArray();

    private static JsonElement Get(ClusterNode node, string path)
    {
        CurlResult answer = Curl.Get(node.ApiUrl(path));
        Assert.Equal(200, answer.Status);
        Assert.Equal("application/json", answer.Header("Content-Type"));
        return JsonDocument.Parse(answer.Body).RootElement;
    }
}
