using System.Text;
using BenchmarkDotNet.Attributes;
using RaftFast.Bench.InProcess;

namespace RaftFast.Bench;

/// <summary>
/// Requests through a whole cluster without sockets. HTTP bytes go into the leader's front. A PUT goes through the
/// loop, to the disks of a majority and into the store. The answer's bytes come out. The time of a PUT is mostly the
/// sync of the disk that all members share. The benchmark measures the allocations of all threads of all members.
/// </summary>
[MemoryDiagnoser]
public class RequestBenchmarks
{
    private const int Requests = 256;

    private const int Depth = 16;

    /// <summary>
    /// PUTs before measuring. They fill each buffer of the log's memory once, so that every buffer has its full size.
    /// </summary>
    private const int WarmUpPuts = 32 * 1024;

    private const int WarmUpDepth = 64;

    private static readonly string Value = new('v', 64);

    private readonly byte[] put = Encoding.ASCII.GetBytes(
        $"PUT /the-key HTTP/1.1\r\nHost: 127.0.0.1:9121\r\nContent-Length: {Value.Length}\r\n\r\n{Value}");
    private readonly byte[] get = "GET /the-key HTTP/1.1\r\nHost: 127.0.0.1:9121\r\n\r\n"u8.ToArray();
    private byte[] pipelined = [];
    private byte[] done = [];
    private byte[] found = [];
    private Cluster cluster = null!;
    private MemoryConnection connection = null!;

    [Params(1, 3)]
    public int Members { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        pipelined = Repeat(put, Depth);
        cluster = new Cluster(Members);
        connection = new MemoryConnection(cluster.Leader.Front);
        done = FirstAnswer(put, "HTTP/1.1 204 ");
        found = FirstAnswer(get, "HTTP/1.1 200 ");
        byte[] many = Repeat(put, WarmUpDepth);
        for (int i = 0; i < WarmUpPuts; i += WarmUpDepth)
            Exchange(many, done, WarmUpDepth);
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        connection.Dispose();
        cluster.Dispose();
    }

    /// <summary>PUTs one after the other.</summary>
    [Benchmark(OperationsPerInvoke = Requests)]
    public void Put()
    {
        for (int i = 0; i < Requests; i++)
            Exchange(put, done, 1);
    }

    /// <summary>Batches of sixteen pipelined PUTs. Each batch is sent after the answers to the previous one.</summary>
    [Benchmark(OperationsPerInvoke = Requests)]
    public void PutPipelined()
    {
        for (int i = 0; i < Requests; i += Depth)
            Exchange(pipelined, done, Depth);
    }

    /// <summary>
    /// Linearizable reads one after the other. Each read among three members needs a round to the other members.
    /// </summary>
    [Benchmark(OperationsPerInvoke = Requests)]
    public void Get()
    {
        for (int i = 0; i < Requests; i++)
            Exchange(get, found, 1);
    }

    private static byte[] Repeat(byte[] request, int count) =>
        [.. Enumerable.Repeat(request, count).SelectMany(each => each)];

    private byte[] FirstAnswer(byte[] request, string status)
    {
        byte[] answer = connection.Exchange(request, 1).ToArray();
        string text = Encoding.ASCII.GetString(answer);
        return text.StartsWith(status, StringComparison.Ordinal)
            ? answer
            : throw new InvalidOperationException($"the answer is {text}");
    }

    /// <param name="answer">Expected answer to each request, except for the date.</param>
    private void Exchange(byte[] requests, byte[] answer, int count)
    {
        ReadOnlySpan<byte> answers = connection.Exchange(requests, count * answer.Length);
        int statusLength = answer.AsSpan().IndexOf((byte)'\r');
        for (int i = 0; i < count; i++)
        {
            if (!answers[(i * answer.Length)..].StartsWith(answer.AsSpan(0, statusLength)))
                throw new InvalidOperationException($"the answer is {Encoding.ASCII.GetString(answers)}");
        }
    }
}
