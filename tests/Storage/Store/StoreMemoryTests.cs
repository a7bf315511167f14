using System.Buffers.Binary;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

public sealed class StoreMemoryTests : IDisposable
{
    private readonly KeyValueStore store = new();
    private readonly byte[] value = new byte[PutCommand.ValueBytesMax];

    public void Dispose() => store.Dispose();

    [Fact]
    public void Empty_store_is_small_and_slabs_come_one_by_one()
    {
        Assert.Equal(SlabMemory.SlabBytes, store.MemoryBytes, tolerance: 1024);
        Put(1, 64);
        Put(2, 64);
        Assert.Equal(2 * SlabMemory.SlabBytes, store.MemoryBytes, tolerance: 1024);
    }

    [Fact]
    public void Entries_take_their_size_and_little_more()
    {
        const int Keys = 200_000;
        for (int i = 0; i < Keys; i++)
            Put(i, 64);
        Assert.InRange(store.MemoryBytes / (double)Keys, 96, 1.6 * (16 + 64) + 32);
    }

    [Fact]
    public void Endless_overwriting_with_changing_sizes_takes_bounded_memory()
    {
        Random random = new(3);
        for (int i = 0; i < 100_000; i++)
            Put(random.Next(1_000), random.Next(3_000));
        long before = store.MemoryBytes;
        for (int i = 0; i < 400_000; i++)
            Put(random.Next(1_000), random.Next(3_000));
        // 600 MB were written since. The greatest number of slots in use grows a little in some size classes.
        Assert.InRange(store.MemoryBytes, 0, before + before / 4);
    }

    [Fact]
    public void Slabs_of_a_size_no_longer_used_serve_another()
    {
        long peak = 0;
        foreach (int length in (ReadOnlySpan<int>)[100, 300, 150, 40, 200, 120, 90, 260, 300])
        {
            for (int i = 0; i < 20_000; i++)
                Put(i, length);
            peak = Math.Max(peak, store.MemoryBytes);
        }
        // While the entries change, the old and the new size are in memory: (300 + 260 + 2 · 32) · 20,000 and the
        // index.
        Assert.InRange(peak, 0, 15_000_000);
    }

    [Fact]
    public void Space_of_deleted_entries_is_used_again()
    {
        for (int i = 0; i < 50_000; i++)
            Put(i, 64);
        long filled = store.MemoryBytes;
        for (int i = 0; i < 50_000; i++)
            Assert.True(store.Delete(Key(i)));
        Assert.False(store.Delete(Key(0)));
        Assert.Equal(0, store.Count);
        Assert.False(store.TryGet(Key(0), out _, out _));
        for (int i = 0; i < 50_000; i++)
            Put(i, 64);
        Assert.Equal(filled, store.MemoryBytes);
        for (int i = 0; i < 50_000; i++)
            store.Delete(Key(i));
        for (int i = 0; i < 50_000; i++)
            Put(i, 30);
        Assert.Equal(filled, store.MemoryBytes);
    }

    [Fact]
    public void Memory_of_large_values_is_given_back()
    {
        Put(1, 64);
        long before = store.MemoryBytes;
        for (int i = 0; i < 100; i++)
        {
            Put(2, PutCommand.ValueBytesMax);
            Put(2, 100_000);
            Put(2, PutCommand.ValueBytesMax - 10);
        }
        Assert.InRange(store.MemoryBytes, before + (1 << 20), before + (1 << 20) * 9 / 8 + SlabMemory.SlabBytes);
        Assert.True(store.Delete(Key(2)));
        Assert.InRange(store.MemoryBytes, before, before + SlabMemory.SlabBytes);
    }

    [Fact]
    public void No_put_moves_more_than_a_page_of_the_index()
    {
        const int Keys = 300_000;
        long most = 0;
        for (int i = 0; i < Keys; i++)
        {
            long before = store.Rehashed;
            Put(i, 0);
            most = Math.Max(most, store.Rehashed - before);
        }
        // A page splits twice at once only if all its entries go to one side: once in 2^223 splits.
        Assert.Equal(IndexPage.EntriesMax, most);
        Assert.InRange(store.Rehashed, Keys, 2 * Keys);
    }

    private static byte[] Key(int number)
    {
        byte[] key = new byte[16];
        BinaryPrimitives.WriteInt32LittleEndian(key, number);
        return key;
    }

    private void Put(int number, int valueLength) =>
        ModelledStore.Apply(store, ModelledStore.PutRecord(Key(number), value.AsSpan(0, valueLength)));
}
