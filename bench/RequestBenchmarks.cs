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

    private static ReadOnlySpan<byte> Done => "HTTP/1.1 204 "u8;

    private static readonly string Value = new('v', 64);

    private readonly byte[] put = Encoding.ASCII.GetBytes(
        $"PUT /the-key HTTP/1.1\r\nHost: 127.0.0.1:9121\r\nContent-Length: {Value.Length}\r\n\r\n{Value}");
    private readonly byte[] get = "GET /the-key HTTP/1.1\r\nHost: 127.0.0.1:9121\r\n\r\n"u8.ToArray();
    private byte[] pipelined = [];
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
        byte[] many = Repeat(put, WarmUpDepth);
        for (int i = 0; i < WarmUpPuts; i += WarmUpDepth)
            connection.Exchange(many, WarmUpDepth, Done);
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
            connection.Exchange(put, 1, Done);
    }

    /// <summary>Batches of sixteen pipelined PUTs. Each batch is sent after the answers to the previous one.</summary>
    [Benchmark(OperationsPerInvoke = Requests)]
    public void PutPipelined()
    {
        for (int i = 0; i < Requests; i += Depth)
            connection.Exchange(pipelined, Depth, Done);
    }

    /// <summary>
    /// Linearizable reads one after the other. Each read among three members needs a round to the other members.
    /// </summary>
    [Benchmark(OperationsPerInvoke = Requests)]
    public void Get()
    {
        for (int i = 0; i < Requests; i++)
            connection.Exchange(get, 1, "HTTP/1.1 200 "u8);
    }

    private static byte[] Repeat(byte[] request, int count) =>
        [.. Enumerable.Repeat(request, count).SelectMany(each => each)];
}
