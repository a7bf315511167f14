using System.Buffers.Binary;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

/// <summary>
/// Runs alone: a garbage collection that another test causes would count as an allocation of 8 KiB by this thread.
/// </summary>
[Collection(nameof(Alone))]
public sealed class StoreAllocationTests : IDisposable
{
    private readonly KeyValueStore store = new();
    private readonly byte[] value = new byte[1000];

    public void Dispose() => store.Dispose();

    [Fact]
    public void Put_and_get_of_an_existing_key_allocate_nothing()
    {
        byte[][] records =
        [
            LogWriter.MakeRecord(1, 1, 1000), LogWriter.MakeRecord(1, 1, 900), LogWriter.MakeRecord(1, 1, 0),
        ];
        Run(records, 3_000);
        Assert.Equal(0, Allocations.Of(() => Run(records, 3_000)));
    }

    [Fact]
    public void Writes_under_a_view_allocate_nothing()
    {
        byte[][] records = new byte[5_000][];
        for (int i = 0; i < records.Length; i++)
            records[i] = ModelledStore.PutRecord(Key(i), value.AsSpan(0, i % 3 * 50));
        byte[] chunk = new byte[StoreView.ChunkBytesMin];
        ApplyAll(records);
        AllocatedUnderAView(records, chunk);
        // The least of several: see Allocations.
        Assert.Equal(0, Enumerable.Range(0, 5).Min(_ => AllocatedUnderAView(records, chunk)));
    }

    [Fact]
    public void New_and_deleted_keys_and_pages_of_a_list_allocate_nothing()
    {
        byte[][] records = [.. Enumerable.Range(0, 5_000).Select(i => ModelledStore.PutRecord(Key(i * 7919), value))];
        KeyPage page = new();
        KeyRange range = new([], Key(1), KeyPage.KeysMax, WithValues: true);
        byte[][] keys = [.. Enumerable.Range(0, 5_000).Select(i => Key(i * 7919))];
        PutListAndDelete(records, keys, page, range);
        Assert.Equal(0, Allocations.Of(() => PutListAndDelete(records, keys, page, range)));
    }

    [Fact]
    public void Managed_memory_does_not_grow_with_the_keys()
    {
        byte[] record = ModelledStore.PutRecord(Key(0), value.AsSpan(0, 64));
        PutNewKeys(record, 10_000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        PutNewKeys(record, 300_000);
        // Only the list of arenas grows: it doubles once or twice. A collection adds up to 8 KiB.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 10_000);
        Assert.Equal(310_000, store.Count);
    }

    private static byte[] Key(int number)
    {
        byte[] key = new byte[16];
        BinaryPrimitives.WriteInt32LittleEndian(key, number);
        return key;
    }

    private void Run(byte[][] records, int count)
    {
        for (int i = 0; i < count; i++)
        {
            byte[] record = records[i % records.Length];
            Record.Stamp(record, new LogPosition(1, store.AppliedIndex + 1));
            Record.TryReadHeader(record, out RecordHeader header);
            store.Apply(header, record);
            store.TryGet("/key"u8, out _, out _);
        }
    }

    private void PutNewKeys(byte[] record, int count)
    {
        Record.TryReadHeader(record, out RecordHeader header);
        for (int i = 0; i < count; i++)
        {
            long index = store.AppliedIndex + 1;
            BinaryPrimitives.WriteInt64LittleEndian(record.AsSpan(Record.HeaderSize + PutCommand.HeaderSize), index);
            store.Apply(header with { Position = new LogPosition(1, index) }, record);
        }
    }

    private void PutListAndDelete(byte[][] records, byte[][] keys, KeyPage page, KeyRange range)
    {
        ApplyAll(records);
        page.Fill(store, range);
        Assert.True(page.HasMore);
        foreach (byte[] key in keys)
            Assert.True(store.Delete(key));
    }

    private long AllocatedUnderAView(byte[][] records, byte[] chunk)
    {
        using StoreView view = store.BeginView();
        long before = GC.GetAllocatedBytesForCurrentThread();
        ApplyAll(records);
        view.Read(chunk, out int entries);
        ApplyAll(records);
        view.Dispose();
        ApplyAll(records);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal(records.Length, entries);
        Assert.True(store.CanBeginView);
        return allocated;
    }

    private void ApplyAll(byte[][] records)
    {
        foreach (byte[] record in records)
            ModelledStore.Apply(store, record);
    }
}
