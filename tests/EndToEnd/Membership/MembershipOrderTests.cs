using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Membership;

/// <summary>Membership changes are made one at a time.</summary>
public sealed class MembershipOrderTests
{
    [Fact]
    public void Changes_asked_for_at_once_take_turns()
    {
        const int Changes = 8;
        using Cluster cluster = Cluster.Start(3);
        cluster.WaitForLeader();
        CurlResult[] posted = AtOnce(
            Changes, i => Operator.Post(cluster.Nodes[i % 3], 10 + i, $"http://127.0.0.1:{10 + i}"));
        Assert.All(posted, answer => Operator.AssertDone(answer, cluster));
        CurlResult[] deleted = AtOnce(Changes, i => Operator.Delete(cluster.Nodes[(i + 1) % 3], 10 + i));
        Assert.All(deleted, answer => Operator.AssertDone(answer, cluster));
        for (int i = 0; i < Changes; i++)
            Operator.AssertRefused(
                Operator.Post(cluster.Nodes[0], 10 + i, $"http://127.0.0.1:{10 + i}"), 409, "never used again");
    }

    [Fact]
    public void A_change_that_waited_too_long_for_another_answers_409_and_is_not_made()
    {
        using Cluster cluster = Cluster.Start(3, "--request-timeout", "1000");
        ClusterNode leader = cluster.WaitForLeader();
        foreach (ClusterNode other in cluster.Others(leader))
            other.Process.Pause();
        using HttpConnection connection = HttpConnection.Open(leader.HttpPort);
        connection.Send("POST", "/4", "http://127.0.0.1:4"u8);
        CurlResult second = Operator.Post(leader, 5, "http://127.0.0.1:5");
        HttpAnswer unknown = connection.Receive();
        foreach (ClusterNode other in cluster.Others(leader))
            other.Process.Resume();
        Assert.True(unknown.Status == 504, $"{unknown.Status} {unknown.Text}\n{cluster}");
        Operator.AssertRefused(second, 409, "another change");

        cluster.WaitUntilReady();
        Operator.AssertDone(Operator.Delete(leader, 5), cluster);
        Operator.AssertDone(Operator.Post(leader, 5, "http://127.0.0.1:5"), cluster); // its id is not used up
    }

    private static CurlResult[] AtOnce(int count, Func<int, CurlResult> request)
    {
        CurlResult[] answers = new CurlResult[count];
        Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = count }, i => answers[i] = request(i));
        return answers;
    }
}
