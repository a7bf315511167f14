using BenchmarkDotNet.Attributes;
using RaftFast.Protocol;

namespace RaftFast.Bench;

/// <summary>Writes and reads a frame without records, an acknowledgement.</summary>
[MemoryDiagnoser]
public class FrameBenchmarks
{
    private readonly byte[] header = new byte[Frame.HeaderSize];
    private readonly Message message =
        new() { Type = MessageType.AppendResponse, Term = 3, Position = new LogPosition(0, 1_000_000) };

    [GlobalSetup]
    public void Setup() => Frame.WriteHeader(header, message, 0);

    [Benchmark]
    public void Write() => Frame.WriteHeader(header, message, 0);

    [Benchmark]
    public DecodeStatus ReadAndVerify() => Frame.TryReadHeader(header, out _, out _);
}
