using System.Diagnostics;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.StartAndStop;

[Collection(nameof(Alone))]
public sealed class HandOverTests
{
    [Fact]
    public void A_leader_that_is_told_to_stop_hands_over_first()
    {
        using Cluster cluster = Cluster.Start(3);
        using Writer writer = new(0, cluster.Nodes);
        List<string> gaps = [];
        for (int round = 0; round < 5; round++)
        {
            ClusterNode leader = cluster.WaitForLeader();
            ClusterNode other = cluster.Others(leader).First();
            long start = Stopwatch.GetTimestamp();
            leader.Process.Terminate();
            Eventually.True(
                () => cluster.Others(leader).Any(node => node.TermLed > leader.TermLed),
                () => $"there is a successor, {cluster}");
            Eventually.True(
                () => other.TryExchange("PUT", "/key", "after"u8)?.Status == 204, () => $"writes continue, {cluster}");
            gaps.Add($"{Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms");
            Assert.True(leader.Process.WaitForExit(TimeSpan.FromSeconds(5)) == 0, leader.ToString());

            // The leader stepped down before it exited, and its successor leads in the next term.
            string[] lastWords = [.. leader.Process.Lines.SkipWhile(
                line => !line.Contains("stopping", StringComparison.Ordinal))];
            Assert.Contains(lastWords, line => line.Contains("stepped down as leader", StringComparison.Ordinal));
            Assert.Equal(leader.TermLed + 1, cluster.WaitForLeader().TermLed);
            leader.Restart();
            cluster.WaitUntilReady();
        }
        writer.Stop();
        Assert.Empty(writer.Violations);
        Verification.EveryMemberKeeps(writer.WritesFrom(0), cluster.Nodes);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"from SIGTERM to the next 204 of a successor: {string.Join(", ", gaps)}");
    }

    [Fact]
    public void A_leader_with_nobody_to_hand_over_to_stops_all_the_same()
    {
        using Cluster cluster = Cluster.Start(1);
        Operator.AssertDone(Operator.Post(cluster.Nodes[0], 2, "http://127.0.0.1:1"), cluster);
        cluster.Nodes[0].Process.Terminate();
        Assert.True(cluster.Nodes[0].Process.WaitForExit(TimeSpan.FromSeconds(5)) == 0, cluster.ToString());
    }
}
