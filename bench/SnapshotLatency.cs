using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace RaftFast.Bench;

/// <summary>
/// Measures the effect of taking a snapshot on the latency of PUTs. The PUTs come in an open loop over HTTP at a
/// moderate rate, and their latency counts from their due time. One node is measured first for some seconds without a
/// snapshot, and then while it takes a snapshot.
/// </summary>
internal static class SnapshotLatency
{
    private const int PutsPerSecond = 2000;
    private const int Connections = 8;

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
            (long Due, long Ticks)[] puts = Load(node, keys);
            long taken = node.TimeOf(Taken);
            Report(puts, taken, keys);
            Console.WriteLine(node.Lines().Last(line => line.Contains(Taken, StringComparison.Ordinal)));
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    /// <summary>
    /// Sends each PUT when it is due, until the node has taken a snapshot. One thread sends, and one thread for each
    /// connection reads the answers.
    /// </summary>
    private static (long Due, long Ticks)[] Load(NodeUnderBench node, int keys)
    {
        ConcurrentBag<(long, long)> done = [];
        TcpClient[] clients = new TcpClient[Connections];
        BlockingCollection<long>[] outstanding = new BlockingCollection<long>[Connections];
        Thread[] readers = new Thread[Connections];
        for (int i = 0; i < Connections; i++)
        {
            TcpClient client = clients[i] = new TcpClient("127.0.0.1", node.Port) { NoDelay = true };
            BlockingCollection<long> dues = outstanding[i] = [];
            readers[i] = new Thread(() => ReadAnswers(client, dues, done));
            readers[i].Start();
        }
        Random random = new(1);
        string value = new('v', RecoveryData.ValueBytes);
        long begun = Stopwatch.GetTimestamp();
        for (int i = 0; i < PutsMax && node.TimeOf(Taken) == 0; i++)
        {
            long due = begun + i * Stopwatch.Frequency / PutsPerSecond;
            while (Stopwatch.GetTimestamp() < due)
                Thread.Sleep(0);
            byte[] request = Encoding.ASCII.GetBytes(
                $"PUT {RecoveryData.Key(random.Next(keys))} HTTP/1.1\r\nHost: localhost\r\n"
                + $"Content-Length: {RecoveryData.ValueBytes}\r\n\r\n{value}");
            outstanding[i % Connections].Add(due);
            clients[i % Connections].Client.Send(request);
        }
        for (int i = 0; i < Connections; i++)
        {
            outstanding[i].CompleteAdding();
            readers[i].Join();
            clients[i].Dispose();
            outstanding[i].Dispose();
        }
        return [.. done.Order()];
    }

    private static void ReadAnswers(TcpClient client, BlockingCollection<long> dues, ConcurrentBag<(long, long)> done)
    {
        using StreamReader reader = new(client.GetStream(), Encoding.ASCII);
        foreach (long due in dues.GetConsumingEnumerable())
        {
            string status = reader.ReadLine()!;
            if (!status.Contains(" 204 ", StringComparison.Ordinal))
                throw new InvalidOperationException(status);
            done.Add((due, Stopwatch.GetTimestamp() - due));
            while (reader.ReadLine()!.Length > 0)
            {
            }
        }
    }

    private static void Report((long Due, long Ticks)[] puts, long taken, int keys)
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
