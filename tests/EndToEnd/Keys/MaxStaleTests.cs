using System.Globalization;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Keys;

public sealed class MaxStaleTests
{
    [Fact]
    public void Member_without_a_leader_answers_only_reads_that_accept_the_age_of_its_state()
    {
        using Cluster cluster = Cluster.Start(3, "--request-timeout", "1000");
        ClusterNode node = cluster.Others(cluster.WaitForLeader()).First();
        Assert.Equal(204, node.TryExchange("PUT", "/key", "1"u8)!.Status);
        Assert.Equal(200, node.TryExchange("GET", "/key")!.Status);
        foreach (ClusterNode other in cluster.Others(node))
            other.Kill();
        Eventually.True(() => node.TryExchange("GET", "/key")?.Status == 503, () => $"no leader is known, {node}");
        HttpAnswer any = node.TryExchange("GET", "/key", default, "Cache-Control: max-stale")!;
        Assert.Equal((200, "1"), (any.Status, any.Text));
        int age = int.Parse(any.Fields["Age"], CultureInfo.InvariantCulture);
        Assert.InRange(age, 1, 60);
        Assert.Equal(200, node.TryExchange("GET", "/key", default, "Cache-Control: max-stale=600")!.Status);
        Assert.Equal(503, node.TryExchange("GET", "/key", default, "Cache-Control: max-stale=0")!.Status);
        Assert.Equal(404, node.TryExchange("GET", "/none", default, "Cache-Control: max-stale")!.Status);

        // A new process knows no age: it must not call its state any age.
        node.Kill();
        node.Restart();
        Eventually.True(
            () => node.TryExchange("GET", "/none", default, "Cache-Control: max-stale")?.Status == 503,
            () => $"the state's age is unknown, {node}");
    }

    [Fact]
    public void Process_that_was_stopped_does_not_call_old_messages_fresh()
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode node = cluster.Others(leader).First();
        Assert.Equal(204, leader.TryExchange("PUT", "/key", "old"u8)!.Status);
        Assert.Equal(200, node.TryExchange("GET", "/key")!.Status);
        using HttpConnection waiting = HttpConnection.Open(node.HttpPort);
        node.Process.Pause();
        Assert.Equal(204, leader.TryExchange("PUT", "/key", "new"u8)!.Status);
        waiting.Send("GET", "/key", default, "Cache-Control: max-stale=1");
        // Longer than the age that the client accepts.
        long paused = Environment.TickCount64;
        Eventually.True(() => Environment.TickCount64 - paused > 2000, () => "time passes");
        node.Process.Resume();
        HttpAnswer answer = waiting.Receive();
        Assert.Equal((200, "new"), (answer.Status, answer.Text));
    }
}
