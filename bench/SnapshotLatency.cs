using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace RaftFast.Bench;

/// <summary>
/// What taking a snapshot does to the latency of PUTs at a modest rate, open loop over HTTP, measured from when each was due:
/// first for some seconds without one, then for as long as one is taken, of the same node.
/// </summary>
internal static class SnapshotLatency
{
    private const int PutsPerSecond = 2000;
    private const int Connections = 8;

    /// <summary>20 s without a snapshot; then one is due.</summary>
    private const int PutsBefore = 20 * PutsPerSecond;

    /// <summary>Not measured: the first ones warm up.</summary>
    private const int PutsOfWarmUp = 2 * PutsPerSecond;

    private const int PutsMax = 120 * PutsPerSecond;

    public static void Run(string binary, int keys)
    {
        string path = Directory.CreateTempSubdirectory("raftfast-bench-").FullName;
        try
        {
            RecoveryData.Create(path, ServerUnderBench.PeerAddress, keys, entries: 0);
            using ServerUnderBench server = ServerUnderBench.Start(binary, path, "--snapshot-every", PutsBefore.ToString(CultureInfo.InvariantCulture));
            server.WaitUntilItReads(RecoveryData.Key(0));
            (long Due, long Ticks)[] puts = Load(server, keys);
            long taken = server.TimeOf(" taken, ");
            Report(puts, taken, keys);
            Console.WriteLine(server.Lines().Last(line => line.Contains(" taken, ", StringComparison.Ordinal)));
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    /// <summary>One thread sends each PUT when it is due, a thread a connection reads the answers, until a snapshot has been taken.</summary>
    private static (long Due, long Ticks)[] Load(ServerUnderBench server, int keys)
    {
        ConcurrentBag<(long, long)> done = [];
        TcpClient[] clients = new TcpClient[Connections];
        BlockingCollection<long>[] outstanding = new BlockingCollection<long>[Connections];
        Thread[] readers = new Thread[Connections];
        for (int i = 0; i < Connections; i++)
        {
            TcpClient client = clients[i] = new TcpClient("127.0.0.1", server.Port) { NoDelay = true };
            BlockingCollection<long> dues = outstanding[i] = [];
            readers[i] = new Thread(() => ReadAnswers(client, dues, done));
            readers[i].Start();
        }
        Random random = new(1);
        string value = new('v', RecoveryData.ValueBytes);
        long begun = Stopwatch.GetTimestamp();
        for (int i = 0; i < PutsMax && server.TimeOf(" taken, ") == 0; i++)
        {
            long due = begun + i * Stopwatch.Frequency / PutsPerSecond;
            while (Stopwatch.GetTimestamp() < due)
                Thread.Sleep(0);
            byte[] request = Encoding.ASCII.GetBytes(
                $"PUT {RecoveryData.Key(random.Next(keys))} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {RecoveryData.ValueBytes}\r\n\r\n{value}");
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
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{keys:N0} keys, {PutsPerSecond:N0} PUTs a second"));
        without.Print("PUT");
        with.Print("PUT while a snapshot is taken");
        double rise = (with.Percentile(0.999) - without.Percentile(0.999)) / 1e6;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"p99.9 rises by {rise:F2} ms"));
    }
}
