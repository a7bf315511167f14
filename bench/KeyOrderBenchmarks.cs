using System.Buffers.Binary;
using BenchmarkDotNet.Attributes;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Bench;

/// <summary>
/// Costs of the order of keys: a new key and its deletion, with the hash index and a slot; a page of 1,000 keys; and a
/// page of 1 MiB of values. Keys have 16 bytes, in random order.
/// </summary>
[MemoryDiagnoser]
public class KeyOrderBenchmarks
{
    private const int KeyBytes = 16;
    private const int ValueBytes = 1024;

    private readonly KeyPage page = new();
    private readonly Random random = new(1);
    private readonly byte[] record = new byte[Record.LengthOf(PutCommand.PayloadLength(KeyBytes, ValueBytes))];
    private readonly byte[] key = new byte[KeyBytes];
    private readonly KeyRange keysAfter;
    private readonly KeyRange valuesAfter;
    private KeyValueStore store = new();

    public KeyOrderBenchmarks()
    {
        keysAfter = new KeyRange([], key, KeyPage.KeysMax, WithValues: false);
        valuesAfter = keysAfter with { WithValues = true };
    }

    [Params(1_000, 100_000)]
    public int Keys { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        store.Dispose();
        store = new KeyValueStore();
        for (int i = 0; i < Keys; i++)
            Put(random.NextInt64());
    }

    [GlobalCleanup]
    public void Cleanup() => store.Dispose();

    [Benchmark]
    public bool PutNewAndDelete()
    {
        Put(random.NextInt64());
        return store.Delete(key);
    }

    [Benchmark]
    public int PageOfKeys() => Fill(keysAfter);

    [Benchmark]
    public int PageOfValues() => Fill(valuesAfter);

    private int Fill(KeyRange range)
    {
        SetKey(random.NextInt64());
        page.Fill(store, range);
        return page.Count;
    }

    private void SetKey(long number)
    {
        "/"u8.CopyTo(key);
        for (int i = 1; i < KeyBytes; i++, number >>= 4)
            key[i] = (byte)"0123456789abcdef"[(int)(number & 15)];
    }

    private void Put(long number)
    {
        SetKey(number);
        int payload = PutCommand.PayloadLength(KeyBytes, ValueBytes);
        PutCommand.WriteKey(record.AsSpan(Record.HeaderSize, payload), key);
        LogPosition position = new(1, store.AppliedIndex + 1);
        store.Apply(new RecordHeader(RecordType.Command, position, payload, 0), record);
    }
}
