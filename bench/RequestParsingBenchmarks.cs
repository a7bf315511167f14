using System.Buffers;
using System.Text;
using BenchmarkDotNet.Attributes;
using RaftFast.Http;

namespace RaftFast.Bench;

/// <summary>
/// Parses PUTs from bytes to finished records, with the headers that curl sends and values of 64 bytes.
/// </summary>
[MemoryDiagnoser]
public class RequestParsingBenchmarks
{
    private const int Depth = 16;

    private HttpFront front = null!;
    private RequestQueue requests = null!;
    private RequestReader reader = null!;
    private byte[] one = [];
    private byte[] pipelined = [];

    [GlobalSetup]
    public void Setup()
    {
        one = Encoding.ASCII.GetBytes(
            "PUT /the-key HTTP/1.1\r\nHost: 127.0.0.1:9121\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n"
            + "Content-Length: 64\r\n"
            + $"Content-Type: application/x-www-form-urlencoded\r\n\r\n{new string('v', 64)}");
        pipelined = [.. Enumerable.Repeat(one, Depth).SelectMany(each => each)];
        HttpLimits limits = new();
        front = new HttpFront(static _ => { }, limits, TimeProvider.System);
        requests = new RequestQueue(
            new HttpConnection(front, limits, new CoarseClock(TimeProvider.System)),
            new ConnectionMemory(front.Memory, limits.PipelineBytesMax));
        reader = new RequestReader(requests, limits, AccessPolicy.AnyHost);
    }

    [GlobalCleanup]
    public void Cleanup() => front.DisposeAsync().AsTask().Wait();

    [Benchmark]
    public int Put() => Read(one, 1);

    [Benchmark(OperationsPerInvoke = Depth)]
    public int PutPipelined() => Read(pipelined, Depth);

    private int Read(byte[] bytes, int expected)
    {
        ReadOnlySequence<byte> input = new(bytes);
        int count = 0;
        while (reader.TryRead(ref input) is { IsFinished: false } request)
        {
            requests.Return(request);
            count++;
        }
        return count == expected
            ? count
            : throw new InvalidOperationException($"{count} of {expected} requests were read");
    }
}
