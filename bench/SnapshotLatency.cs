using System.Globalization;

namespace RaftFast.Bench;

/// <summary>
/// Measures the effect of taking a snapshot on the latency of PUTs. The PUTs come in an open loop over HTTP at a
/// moderate rate, and their latency counts from their due time. One node is measured first for some seconds without a
/// snapshot, and then while it takes a snapshot.
/// </summary>
internal static class SnapshotLatency
{
    private const int PutsPerSecond = 2000;
    /// <summary>Part of the node's log line about a complete snapshot.</summary>
    private const string Taken = " taken, ";

    /// <summary>PUTs after which the node takes a snapshot: those of 20 s.</summary>
    private const int PutsBefore = 20 * PutsPerSecond;

    /// <summary>First PUTs, which warm the node up and are not measured.</summary>
    private const int PutsOfWarmUp = 2 * PutsPerSecond;

    private const int PutsMax = 120 * PutsPerSecond;

    public static void Run(string binary, int keys)
    {
        string path = Directory.CreateTempSubdirectory("raftfast-bench-").FullName;
        try
        {
            RecoveryData.Create(path, NodeUnderBench.PeerAddress, keys, entries: 0);
            string every = PutsBefore.ToString(CultureInfo.InvariantCulture);
            using NodeUnderBench node = NodeUnderBench.Start(binary, path, "--snapshot-every", every);
            node.WaitUntilReadable(RecoveryData.Key(0));
            Random random = new(1);
            AnsweredPut[] puts = OpenLoop.Run(
                node, PutsPerSecond, PutsMax, _ => RecoveryData.Key(random.Next(keys)), () => node.TimeOf(Taken) != 0);
            long taken = node.TimeOf(Taken);
            Report(puts, taken, keys);
            Console.WriteLine(node.Lines().Last(line => line.Contains(Taken, StringComparison.Ordinal)));
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    private static void Report(AnsweredPut[] puts, long taken, int keys)
    {
        Latencies without = new();
        Latencies with = new();
        for (int i = PutsOfWarmUp; i < puts.Length; i++)
        {
            if (taken == 0 || puts[i].Due < taken)
                (i < PutsBefore ? without : with).Add(puts[i].Ticks, 0);
        }
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{keys:N0} keys, {PutsPerSecond:N0} PUTs a second"));
        without.Print("PUT");
        with.Print("PUT while a snapshot is taken");
        double rise = (with.Percentile(0.999) - without.Percentile(0.999)) / 1e6;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"p99.9 rises by {rise:F2} ms"));
    }
}
