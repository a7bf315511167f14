using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using RaftFast.LoadTest.Load;

namespace RaftFast.Bench;

/// <summary>A PUT that was answered 204.</summary>
/// <param name="Due">Timestamp at which the PUT was to be sent.</param>
/// <param name="Ticks">Ticks of the stopwatch from there to the answer.</param>
internal readonly record struct AnsweredPut(long Due, long Ticks);

/// <summary>
/// PUTs at a fixed rate over HTTP, each sent when it is due, answered or not. One thread sends, and one thread for each
/// connection reads the answers.
/// </summary>
internal static class OpenLoop
{
    private const int Connections = 8;

    /// <param name="key">Gives the key of a PUT that is due at a timestamp. On the sending thread.</param>
    /// <returns>The PUTs in the order in which they were due.</returns>
    public static AnsweredPut[] Run(
        NodeUnderBench node, int putsPerSecond, int putsMax, Func<long, string> key, Func<bool> isOver)
    {
        ConcurrentBag<AnsweredPut> done = [];
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
        string value = new('v', RecoveryData.ValueBytes);
        long begun = Stopwatch.GetTimestamp();
        for (int i = 0; i < putsMax && !isOver(); i++)
        {
            long due = begun + i * Stopwatch.Frequency / putsPerSecond;
            PreciseSleep.Until(due);
            byte[] request = Encoding.ASCII.GetBytes(
                $"PUT {key(due)} HTTP/1.1\r\nHost: localhost\r\n"
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
        return [.. done.OrderBy(put => put.Due)];
    }

    private static void ReadAnswers(TcpClient client, BlockingCollection<long> dues, ConcurrentBag<AnsweredPut> done)
    {
        using StreamReader reader = new(client.GetStream(), Encoding.ASCII);
        foreach (long due in dues.GetConsumingEnumerable())
        {
            string status = reader.ReadLine()!;
            if (!status.Contains(" 204 ", StringComparison.Ordinal))
                throw new InvalidOperationException(status);
            done.Add(new AnsweredPut(due, Stopwatch.GetTimestamp() - due));
            while (reader.ReadLine()!.Length > 0)
            {
            }
        }
    }
}
