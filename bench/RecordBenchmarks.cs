using BenchmarkDotNet.Attributes;
using RaftFast.Protocol;

namespace RaftFast.Bench;

/// <summary>
/// A record's encoding: the member that received the command finishes the record, the leader stamps it, and every
/// member reads it.
/// </summary>
[MemoryDiagnoser]
public class RecordBenchmarks
{
    private byte[] record = [];
    private int payloadLength;

    [Params(64, 65536)]
    public int ValueBytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        payloadLength = PutCommand.PayloadLength(8, ValueBytes);
        record = PutRecord.Of("/the-key", ValueBytes);
    }

    [Benchmark]
    public void Finish() => Record.Finish(record, RecordType.Command, payloadLength);

    [Benchmark]
    public void Stamp() => Record.Stamp(record, new LogPosition(3, 1_000_000));

    [Benchmark]
    public DecodeStatus ReadAndVerify() => Record.TryRead(record, out _);
}
