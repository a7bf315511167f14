using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Faults;

public sealed class QuorumLossTests
{
    /// <summary>Default request timeout of the server, 5 s, and 3 s for a busy machine to answer.</summary>
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(8);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void With_two_of_three_down_requests_are_refused_in_time_until_one_returns(bool leaderRemains)
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        Assert.Equal(204, Curl.Put(leader.Url("/before"), "kept").Status);
        ClusterNode remaining = leaderRemains ? leader : cluster.Others(leader).First();
        ClusterNode[] down = [.. cluster.Others(remaining)];
        foreach (ClusterNode node in down)
            node.Process.BeginKill();
        foreach (ClusterNode node in down)
            node.Process.WaitForExit();

        for (int round = 0; round < 2; round++) // by the second round a leader has stepped down
        {
            Parallel.Invoke(
                () => AssertRefusedInTime(() => Curl.Put(remaining.Url("/during"), $"{round}"), remaining),
                () => AssertRefusedInTime(() => Curl.Get(remaining.Url("/before")), remaining));
        }

        down[0].Restart();
        Eventually.True(
            () => Curl.Put(remaining.Url("/after"), "new").Status == 204, () => $"PUT works again, {cluster}");
        foreach (ClusterNode node in (ClusterNode[])[remaining, down[0]])
        {
            Assert.Equal("kept", Curl.Get(node.Url("/before")).Text);
            Assert.Equal("new", Curl.Get(node.Url("/after")).Text);
        }
    }

    private static void AssertRefusedInTime(Func<CurlResult> request, ClusterNode node)
    {
        long start = Environment.TickCount64;
        CurlResult answer = request();
        TimeSpan took = TimeSpan.FromMilliseconds(Environment.TickCount64 - start);
        Assert.True(answer.Status is 503 or 504, $"{answer}\n{node}");
        Assert.True(took < AnswerWithin, $"answered {answer.Status} after {took.TotalSeconds} s\n{node}");
        Assert.True(answer.Status == 504 || answer.Has("Retry-After"), $"{answer}");
        Assert.EndsWith("\n", answer.Text, StringComparison.Ordinal);
    }
}
