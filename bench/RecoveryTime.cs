using System.Diagnostics;
using System.Globalization;

namespace RaftFast.Bench;

/// <summary>
/// Measures the time from a node's start to its first answer, for a directory with a snapshot and a log.
/// </summary>
internal static class RecoveryTime
{
    public const int KeysDefault = 10_000_000;
    public const int EntriesDefault = 1_000_000;

    private const double BoundBytesPerSecond = 500e6;
    private const double BoundSeconds = 1;
    private const int Rounds = 3;

    public static void Run(string binary, int keys, int entries)
    {
        string path = Directory.CreateTempSubdirectory("raftfast-bench-").FullName;
        try
        {
            (long snapshot, long log) = RecoveryData.Create(path, NodeUnderBench.PeerAddress, keys, entries);
            long bytes = snapshot + log;
            double bound = bytes / BoundBytesPerSecond + BoundSeconds;
            Print($"{keys:N0} keys of {RecoveryData.KeyBytes} bytes with values of {RecoveryData.ValueBytes}");
            Print($"snapshot of {snapshot:N0} bytes, log of {log:N0} bytes with {entries:N0} entries");
            Print($"bound: {bound:F2} s");
            for (int round = 0; round < Rounds; round++)
            {
                long begun = Stopwatch.GetTimestamp();
                using NodeUnderBench node = NodeUnderBench.Start(binary, path);
                node.WaitUntilReadable(RecoveryData.Key(0));
                double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
                double processor = node.ProcessorSeconds;
                foreach (string line in node.Lines())
                {
                    if (line.Contains(" node: ", StringComparison.Ordinal))
                        Console.WriteLine(line);
                }
                double loaded = Stopwatch.GetElapsedTime(begun, node.TimeOf(" listens for clients ")).TotalSeconds;
                string verdict = seconds <= bound ? "within" : "above";
                Print($"listens after {loaded:F2} s, reads after {seconds:F2} s: {verdict} the bound");
                Print($"{bytes / seconds / 1e6:F0} MB/s, {processor:F2} s of processor time");
            }
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
