using System.Diagnostics;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Faults;

[Collection(nameof(Alone))]
public sealed class ElectionTests
{
    private const int Rounds = 7;

    /// <summary>Maximum time without a leader, according to the README.</summary>
    private static readonly TimeSpan Promise = TimeSpan.FromSeconds(1.5);

    [Fact]
    public void Writes_go_on_within_1500_ms_of_the_leader_s_end()
    {
        using Cluster cluster = Cluster.Start(3);
        List<TimeSpan> gaps = [];
        for (int round = 0; round < Rounds; round++)
        {
            ClusterNode leader = cluster.WaitForLeader();
            ClusterNode other = cluster.Others(leader).First();
            Assert.Equal(204, other.TryExchange("PUT", "/key", "before"u8)?.Status);
            long start = Stopwatch.GetTimestamp();
            leader.Process.BeginKill();
            Eventually.True(
                () => other.TryExchange("PUT", "/key", "after"u8)?.Status == 204, () => $"PUT works again, {cluster}");
            gaps.Add(Stopwatch.GetElapsedTime(start));
            leader.Process.WaitForExit();
            leader.Restart();
            cluster.WaitUntilReady();
        }
        gaps.Sort();
        string figures = string.Join(" ms, ", gaps.Select(gap => $"{gap.TotalMilliseconds:F0}")) + " ms";
        TestContext.Current.TestOutputHelper!.WriteLine($"from SIGKILL to the next 204: {figures}");
        Assert.True(gaps[Rounds / 2] < Promise, figures);
    }
}
