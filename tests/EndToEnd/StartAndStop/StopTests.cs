using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.StartAndStop;

public sealed class StopTests
{
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(Signal.Terminate)]
    [InlineData(Signal.Interrupt)]
    public void A_signal_stops_a_node_with_idle_and_busy_connections_and_loses_nothing(int signal)
    {
        using Cluster cluster = Cluster.Start(1);
        ClusterNode node = cluster.Nodes[0];
        using HttpConnection idle = HttpConnection.Open(node.HttpPort);
        Assert.Equal(404, idle.Exchange("GET", "/absent").Status);
        using Writer writer = new(0, cluster.Nodes);
        Eventually.True(() => writer.Acknowledged > 10, () => $"writes are acknowledged, {node}");

        if (signal == Signal.Terminate)
            node.Process.Terminate();
        else
            node.Process.Interrupt();
        int exitCode = node.Process.WaitForExit(StopsWithin);
        Assert.True(exitCode == 0, node.ToString());
        Assert.Empty(node.Process.Output);
        writer.Stop();

        node.Restart();
        node.WaitUntilReady();
        Verification.EveryMemberKeeps(writer.WritesFrom(0), cluster.Nodes);
        Assert.Empty(writer.Violations);
    }

    [Fact]
    public void A_member_without_a_quorum_stops_too()
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode last = cluster.WaitForLeader();
        foreach (ClusterNode node in cluster.Others(last))
        {
            node.Process.Terminate();
            Assert.True(node.Process.WaitForExit(StopsWithin) == 0, node.ToString());
        }
        using HttpConnection waiting = HttpConnection.Open(last.HttpPort);
        waiting.Send("PUT", "/key", "never agreed"u8);
        last.Process.Terminate();
        Assert.True(last.Process.WaitForExit(StopsWithin) == 0, last.ToString());
    }
}
