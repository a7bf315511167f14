using BenchmarkDotNet.Attributes;
using RaftFast.Protocol;

namespace RaftFast.Bench;

/// <summary>Computes the CRC-32C of a frame's header, of a page, and of the largest value.</summary>
[MemoryDiagnoser]
public class ChecksumBenchmarks
{
    private byte[] data = [];

    [Params(64, 4096, 1048576)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        data = new byte[Bytes];
        new Random(1).NextBytes(data);
    }

    [Benchmark]
    public uint Compute() => Crc32C.Compute(data);
}
