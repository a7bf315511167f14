using System.Text;
using BenchmarkDotNet.Attributes;
using RaftFast.Protocol;
using RaftFast.Storage;

namespace RaftFast.Bench;

[MemoryDiagnoser]
public class StoreBenchmarks
{
    private const int Keys = 1000;

    private readonly KeyValueStore store = new();
    private readonly byte[][] records = new byte[Keys][];
    private readonly byte[][] keys = new byte[Keys][];
    private int next;

    [GlobalSetup]
    public void Setup()
    {
        for (int i = 0; i < Keys; i++)
        {
            keys[i] = Encoding.ASCII.GetBytes($"/key-{i:D6}");
            int length = PutCommand.PayloadLength(keys[i].Length, 64);
            records[i] = new byte[Record.LengthOf(length)];
            PutCommand.WriteKey(records[i].AsSpan(Record.HeaderSize), keys[i]);
            Record.Seal(records[i], RecordType.Command, length);
            Put();
        }
    }

    [GlobalCleanup]
    public void Cleanup() => store.Dispose();

    [Benchmark]
    public void Put()
    {
        byte[] record = records[next++ % Keys];
        Record.Stamp(record, new LogPosition(1, store.AppliedIndex + 1));
        Record.TryReadHeader(record, out RecordHeader header);
        store.Apply(header, record);
    }

    [Benchmark]
    public bool Get() => store.TryGet(keys[next++ % Keys], out _, out _);
}
