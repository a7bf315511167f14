using System.Diagnostics;
using System.Net;
using HdrHistogram;

namespace RaftFast.LoadTest;

/// <summary>Clients that each wait for their answers before they ask again: shows what a server can take, not how it queues.</summary>
internal sealed class ClosedLoop(IPEndPoint target, bool isGet, int pipeline, int keys, int valueBytes)
{
    private const int AnswerHeadBytesMax = 512;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);

    public Result Run(int connections, TimeSpan duration)
    {
        byte[][] bursts = new byte[keys][];
        for (int i = 0; i < keys; i++)
            bursts[i] = Client.Burst(isGet, i * pipeline, pipeline, keys, valueBytes);
        Client[] clients = new Client[connections];
        for (int i = 0; i < connections; i++)
            clients[i] = new Client(target, bursts, pipeline, AnswerHeadBytesMax + valueBytes);
        long begin = Stopwatch.GetTimestamp() + (long)(WarmUp.TotalSeconds * Stopwatch.Frequency);
        long end = begin + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        Task[] running = new Task[connections];
        for (int i = 0; i < connections; i++)
        {
            Client client = clients[i];
            int first = i * 7919;
            running[i] = Task.Run(() => client.RunAsync(first, begin, end));
        }
        Task.WaitAll(running);
        LongHistogram latencies = new(TimeSpan.TicksPerMinute, 3);
        long failures = 0;
        foreach (Client client in clients)
        {
            latencies.Add(client.Latencies);
            failures += client.Failures;
            client.Dispose();
        }
        return new Result(latencies, failures, Stopwatch.GetElapsedTime(begin));
    }
}
