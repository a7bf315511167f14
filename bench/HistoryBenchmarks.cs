using BenchmarkDotNet.Attributes;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Bench;

/// <summary>
/// Applies PUT commands as <see cref="StoreBenchmarks"/> does, to a store whose changes are recorded for watches. The
/// difference is what watches cost an entry.
/// </summary>
[MemoryDiagnoser]
public class HistoryBenchmarks
{
    private const int Keys = 1000;

    private readonly KeyValueStore store = new() { History = new ChangeHistory(ChangeHistory.BytesDefault) };
    private readonly byte[][] records = new byte[Keys][];
    private int next;

    [GlobalSetup]
    public void Setup()
    {
        for (int i = 0; i < Keys; i++)
            records[i] = PutRecord.Of($"/key-{i:D6}", 64);
        // Fill the whole ring once, as in a server that has run for some time.
        for (int i = 0; i < 1_000_000; i++)
            PutAndPublish();
    }

    [GlobalCleanup]
    public void Cleanup() => store.Dispose();

    [Benchmark]
    public void PutAndPublish()
    {
        byte[] record = records[next++ % Keys];
        Record.Stamp(record, new LogPosition(1, store.AppliedIndex + 1));
        Record.TryReadHeader(record, out RecordHeader header);
        store.Apply(header, record);
        store.History!.Publish(store.AppliedIndex);
    }
}
