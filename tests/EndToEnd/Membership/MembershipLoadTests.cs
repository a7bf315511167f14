using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Membership;

/// <summary>Members come and go under constant writes. A client of a member that stays sees no failed write.</summary>
[Collection(nameof(Alone))]
public sealed class MembershipLoadTests
{
    private const int Writers = 4;

    /// <summary>Number of values of 1 MiB that each new member must receive before it is a voter.</summary>
    private const int LargeValues = 64;

    /// <summary>Maximum time between two acknowledged writes of one client.</summary>
    private static readonly TimeSpan LongestGap = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_cluster_grows_from_1_to_5_and_shrinks_to_1_and_every_write_is_acknowledged()
    {
        using Cluster cluster = Cluster.Start(1);
        ClusterNode first = cluster.Nodes[0];
        byte[] large = new byte[1 << 20];
        for (int i = 0; i < LargeValues; i++)
            Assert.Equal(204, first.TryExchange("PUT", $"/large/{i}", large)?.Status);
        Writer[] writers = [.. Enumerable.Range(0, Writers).Select(number => new Writer(number, [first]))];
        try
        {
            WaitForProgress(writers, cluster);
            while (cluster.Nodes.Count < 3)
                Operator.Add(cluster, first);
            VerifyUnderLoad(writers, cluster);
            while (cluster.Nodes.Count < 5)
                Operator.Add(cluster, cluster.Nodes[^1]);
            VerifyUnderLoad(writers, cluster);
            for (int id = 5; id > 1; id--)
            {
                Operator.Remove(cluster, cluster.Nodes[id % 2], cluster.Nodes[id - 1]);
                WaitForProgress(writers, cluster);
            }
            VerifyUnderLoad(writers, cluster);
            foreach (Writer writer in writers)
                writer.Stop();
            Write[] all = [.. writers.SelectMany(writer => writer.WritesFrom(0))];
            Write[] failed = [.. all.Where(write => write.Outcome != WriteOutcome.Acknowledged)];
            Assert.True(
                failed.Length == 0,
                $"{failed.Length} of {all.Length} writes were not acknowledged, "
                + $"first {failed.FirstOrDefault()}\n{cluster}");
            AssertGaps(writers, cluster, all.Length);
        }
        finally
        {
            foreach (Writer writer in writers)
                writer.Dispose();
        }
    }

    [Fact]
    public void The_leader_is_removed_five_times_in_a_row()
    {
        const int Removals = 5;
        using Cluster cluster = Cluster.Start(Removals + 1);
        Writer[] writers = [.. cluster.Nodes.Select((node, number) => new Writer(number, [node]))];
        try
        {
            WaitForProgress(writers, cluster);
            for (int removal = 0; removal < Removals; removal++)
            {
                ClusterNode leader = cluster.WaitForLeader();
                ClusterNode other = cluster.Running.First(node => node != leader);
                Operator.Remove(cluster, removal % 2 == 0 ? other : leader, leader);
                WaitForProgress([.. writers.Where((_, i) => cluster.Nodes[i].Runs)], cluster);
            }
            foreach (Writer writer in writers)
                writer.Stop();
            ClusterNode last = cluster.Running.Single();
            Verification.EveryMemberKeeps(writers.SelectMany(writer => writer.WritesFrom(0)), [last]);
            AssertGaps([writers[last.Id - 1]], cluster, writers.Sum(writer => writer.Acknowledged));
        }
        finally
        {
            foreach (Writer writer in writers)
                writer.Dispose();
        }
    }

    private static void WaitForProgress(Writer[] writers, Cluster cluster)
    {
        int[] enough = [.. writers.Select(writer => writer.Acknowledged + 5)];
        Eventually.True(
            () => writers.Zip(enough).All(pair => pair.First.Acknowledged >= pair.Second),
            () => $"every writer continues, {cluster}");
    }

    /// <summary>Verifies the unique keys on every running member, while the writers continue with other keys.</summary>
    private static void VerifyUnderLoad(Writer[] writers, Cluster cluster)
    {
        Write[] unique = [.. writers.SelectMany(writer => writer.WritesFrom(0)).Where(
            write => write.Target.StartsWith("/unique/", StringComparison.Ordinal))];
        Verification.EveryMemberKeeps(unique, [.. cluster.Running]);
        WaitForProgress(writers, cluster);
    }

    private static void AssertGaps(Writer[] writers, Cluster cluster, int writes)
    {
        string[] violations = [.. writers.SelectMany(writer => writer.Violations)];
        Assert.True(violations.Length == 0, string.Join('\n', violations.Take(20)) + "\n" + cluster);
        TimeSpan[] gaps = [.. writers.Select(writer => writer.LongestGap)];
        string figures = $"{writes} writes; longest gap between acknowledged ones: {string.Join(", ", gaps.Select(gap =>
            $"{gap.TotalMilliseconds:F0} ms"))}";
        TestContext.Current.TestOutputHelper!.WriteLine(figures);
        Assert.True(gaps.Max() < LongestGap, $"{figures}\n{cluster}");
    }
}
