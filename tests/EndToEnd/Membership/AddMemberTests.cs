using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Membership;

public sealed class AddMemberTests
{
    private const int Keys = 200;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_node_added_to_three_gets_every_old_key_and_becomes_a_voter_by_itself(bool startsFirst)
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        WriteKeys(leader);

        ClusterNode fourth = cluster.PrepareMember();
        if (startsFirst)
        {
            fourth.StartJoining(cluster.Urls);
            Eventually.True(
                () => fourth.TryExchange("GET", "/key/0")?.Status == 503,
                () => $"a node that waits to be added answers 503, {fourth}");
            Assert.Equal(503, Curl.Put(fourth.Url("/key/0"), "too early").Status);
            Operator.AssertRefused(Operator.Post(fourth, 5, "http://127.0.0.1:1"), 503, "POST its URL");
        }
        Operator.AssertDone(Operator.Post(cluster.Others(leader).First(), fourth.Id, fourth.PeerUrl), cluster);
        if (!startsFirst)
            fourth.StartJoining(cluster.Urls);
        fourth.WaitUntilReady();
        AssertHasKeys(fourth);
        Operator.WaitUntilVoter(cluster, fourth);
        Eventually.True(
            () => Operator.Says(leader, $"member 4 at {fourth.PeerUrl} added as a learner") && Operator.Says(
                leader, $"member 4 at {fourth.PeerUrl} is a voter"),
            () => $"the leader's log tells of both, {leader}");
        Assert.Equal(204, Curl.Put(fourth.Url("/new"), "from the fourth").Status);

        // A majority of four is three: with one old member down, writes need the fourth.
        ClusterNode down = cluster.Nodes[0];
        down.Kill();
        Eventually.True(
            () => fourth.TryExchange("PUT", "/new", "without the first"u8)?.Status == 204,
            () => $"the fourth counts, {cluster}");
        Assert.Equal("without the first", Curl.Get(cluster.Nodes[2].Url("/new")).Text);
    }

    [Fact]
    public void A_member_that_joined_starts_again_with_what_it_knows_whatever_the_flags_say()
    {
        using Cluster cluster = Cluster.Start(1);
        ClusterNode first = cluster.Nodes[0];
        ClusterNode second = Operator.Add(cluster, first);
        WriteKeys(first);
        second.Kill();
        second.Start($"http://127.0.0.1:1,{second.PeerUrl}"); // without --join, and with a wrong first URL
        second.WaitUntilReady();
        AssertHasKeys(second);
        Eventually.True(() => second.Process.Warns("--cluster"), () => $"a line says so, {second}");
        second.Kill();
        second.StartJoining($"{cluster.Urls}"); // --join is for empty directories
        second.WaitUntilReady();
        AssertHasKeys(second);
        Assert.Equal(204, Curl.Put(second.Url("/after"), "value").Status);
    }

    [Fact]
    public void A_learner_with_nobody_there_costs_the_others_nothing_and_can_be_removed()
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        using Writer writer = new(0, [leader]);
        ClusterNode absent = cluster.PrepareMember();
        Operator.AssertDone(Operator.Post(leader, absent.Id, absent.PeerUrl), cluster);
        WaitForWrites(writer, 100, cluster);

        // Two of three voters are a majority. If the learner were a voter, a majority would be three.
        cluster.Others(leader).First(node => node != absent).Kill();
        WaitForWrites(writer, 100, cluster);
        Assert.False(Operator.Says(leader, "is a voter"), leader.ToString());
        Operator.AssertDone(Operator.Delete(leader, absent.Id), cluster);
        WaitForWrites(writer, 10, cluster);
        writer.Stop();
        AssertAllAcknowledged(writer, cluster);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"longest gap between acknowledged writes: {writer.LongestGap.TotalMilliseconds:F0} ms");
    }

    [Theory]
    [InlineData(Signal.Terminate)]
    [InlineData(Signal.Interrupt)]
    public void A_node_that_waits_to_be_added_stops_when_told_to(int signal)
    {
        using Cluster cluster = Cluster.Prepare(2);
        ClusterNode waiting = cluster.Nodes[1];
        waiting.Start(cluster.Urls, "--join");
        Eventually.True(() => waiting.TryExchange("GET", "/")?.Status == 503, () => $"it waits, {waiting}");
        if (signal == Signal.Terminate)
            waiting.Process.Terminate();
        else
            waiting.Process.Interrupt();
        Assert.True(waiting.Process.WaitForExit(TimeSpan.FromSeconds(5)) == 0, waiting.ToString());
    }

    [Fact]
    public void A_learner_that_was_killed_while_it_caught_up_becomes_a_voter_once_it_is_back()
    {
        using Cluster cluster = Cluster.Start(1);
        ClusterNode first = cluster.Nodes[0];
        byte[] value = new byte[1 << 20];
        for (int i = 0; i < 60; i++)
            Assert.Equal(204, first.TryExchange("PUT", $"/large/{i}", value)?.Status);
        ClusterNode second = cluster.PrepareMember();
        Operator.AssertDone(Operator.Post(first, second.Id, second.PeerUrl), cluster);
        for (int kill = 0; kill < 3; kill++)
        {
            second.StartJoining(cluster.Urls);
            Eventually.True(() => second.Process.Lines.Count > kill, () => $"it is up, {second}");
            second.Kill();
        }
        second.Restart();
        Operator.WaitUntilVoter(cluster, second);
        second.WaitUntilReady();
        Assert.Equal(1 << 20, second.TryExchange("GET", "/large/59")?.Body.Length);
    }

    private static void WriteKeys(ClusterNode node)
    {
        for (int i = 0; i < Keys; i++)
            Assert.Equal(
                204, node.TryExchange("PUT", $"/key/{i}", System.Text.Encoding.ASCII.GetBytes($"value {i}"))?.Status);
    }

    private static void AssertHasKeys(ClusterNode node)
    {
        for (int i = 0; i < Keys; i++)
            Assert.Equal($"value {i}", node.TryExchange("GET", $"/key/{i}")?.Text);
    }

    private static void WaitForWrites(Writer writer, int more, Cluster cluster)
    {
        int enough = writer.Acknowledged + more;
        Eventually.True(() => writer.Acknowledged >= enough, () => $"writes continue, {cluster}");
    }

    private static void AssertAllAcknowledged(Writer writer, Cluster cluster)
    {
        Write[] failed = [.. writer.WritesFrom(0).Where(write => write.Outcome != WriteOutcome.Acknowledged)];
        Assert.True(
            failed.Length == 0,
            $"{failed.Length} writes were not acknowledged, first {failed.FirstOrDefault()}\n{cluster}");
        Assert.Empty(writer.Violations);
    }
}
