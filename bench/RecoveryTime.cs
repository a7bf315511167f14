using System.Diagnostics;
using System.Globalization;

namespace RaftFast.Bench;

/// <summary>How long a node takes from its start to its first answer, with a snapshot of so many keys and so many entries in the log.</summary>
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
            (long snapshot, long log) = RecoveryData.Create(path, ServerUnderBench.PeerAddress, keys, entries);
            long bytes = snapshot + log;
            double bound = bytes / BoundBytesPerSecond + BoundSeconds;
            Print($"{keys:N0} keys of {RecoveryData.KeyBytes} bytes with values of {RecoveryData.ValueBytes}, {entries:N0} entries behind them: a snapshot of {snapshot:N0} bytes, a log of {log:N0}; {bound:F2} s allowed");
            for (int round = 0; round < Rounds; round++)
            {
                long begun = Stopwatch.GetTimestamp();
                using ServerUnderBench server = ServerUnderBench.Start(binary, path);
                server.WaitUntilItReads(RecoveryData.Key(0));
                double seconds = Stopwatch.GetElapsedTime(begun).TotalSeconds;
                double processor = server.ProcessorSeconds;
                foreach (string line in server.Lines().Where(line => line.Contains(" node: ", StringComparison.Ordinal)))
                    Console.WriteLine(line);
                double loaded = Stopwatch.GetElapsedTime(begun, server.TimeOf(" listens for clients ")).TotalSeconds;
                Print($"listens after {loaded:F2} s, reads after {seconds:F2} s, with {processor:F2} s of processors: {bytes / seconds / 1e6:F0} MB/s; {(seconds <= bound ? "within" : "over")} the bound");
            }
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
