using System.Text;
using BenchmarkDotNet.Attributes;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Bench;

/// <summary>Applies PUT commands to a thousand keys in turn, and reads the keys.</summary>
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
            string key = $"/key-{i:D6}";
            keys[i] = Encoding.ASCII.GetBytes(key);
            records[i] = PutRecord.Of(key, 64);
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
