namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>kill -9 under load: every write that was answered 204 is on every member afterwards.</summary>
internal static class Kills
{
    private const int Writers = 4;

    /// <summary>Kills in turn one node, the leader, and all nodes of a cluster of three.</summary>
    public static void OfThree(Cluster cluster, int rounds)
    {
        Random random = new(20);
        UnderLoad(cluster, rounds, round =>
        {
            switch (round % 3)
            {
                case 0:
                    return [cluster.Nodes[random.Next(3)]];
                case 1:
                    return [cluster.WaitForLeader()];
                default:
                    return cluster.Nodes;
            }
        });
    }

    public static void UnderLoad(Cluster cluster, int rounds, Func<int, IReadOnlyList<ClusterNode>> victims)
    {
        Writer[] writers = [.. Enumerable.Range(0, Writers).Select(number => new Writer(number, cluster.Nodes))];
        try
        {
            int[] verified = new int[Writers];
            for (int round = 0; round < rounds; round++)
            {
                WaitForProgress(writers, cluster);
                Kill(victims(round), writers, cluster);
                cluster.WaitUntilReady();
                VerifyUniqueWrites(writers, verified, cluster);
            }
            foreach (Writer writer in writers)
                writer.Stop();
            Verification.EveryMemberKeeps(writers.SelectMany(writer => writer.WritesFrom(0)), cluster.Nodes);
            string[] violations = [.. writers.SelectMany(writer => writer.Violations)];
            Assert.True(violations.Length == 0, string.Join('\n', violations.Take(20)) + "\n" + cluster);
        }
        finally
        {
            foreach (Writer writer in writers)
                writer.Dispose();
        }
    }

    /// <summary>
    /// Kills and restarts the victims. If the killed members are a minority, the others acknowledge writes before the
    /// restart.
    /// </summary>
    private static void Kill(IReadOnlyList<ClusterNode> victims, Writer[] writers, Cluster cluster)
    {
        foreach (ClusterNode victim in victims)
            victim.Process.BeginKill();
        foreach (ClusterNode victim in victims)
            victim.Process.WaitForExit();
        if (victims.Count < cluster.Nodes.Count)
            WaitForProgress(writers, cluster);
        foreach (ClusterNode victim in victims)
            victim.Restart();
    }

    /// <summary>Waits until each client has had one more PUT acknowledged.</summary>
    private static void WaitForProgress(Writer[] writers, Cluster cluster)
    {
        int[] before = [.. writers.Select(writer => writer.Acknowledged)];
        Eventually.True(
            () => writers.Zip(before).All(pair => pair.First.Acknowledged > pair.Second),
            () =>
            {
                IEnumerable<int> progress = writers.Zip(before).Select(pair => pair.First.Acknowledged - pair.Second);
                return $"every writer continues: {string.Join(", ", progress)}; {cluster}";
            });
    }

    private static void VerifyUniqueWrites(Writer[] writers, int[] verified, Cluster cluster)
    {
        List<Write> writes = [];
        for (int i = 0; i < writers.Length; i++)
        {
            IReadOnlyList<Write> recent = writers[i].WritesFrom(verified[i]);
            verified[i] += recent.Count;
            writes.AddRange(recent.Where(write => write.Outcome == WriteOutcome.Acknowledged && write.Target.StartsWith(
                "/unique/", StringComparison.Ordinal)));
        }
        Verification.EveryMemberKeeps(writes, cluster.Nodes);
    }
}
