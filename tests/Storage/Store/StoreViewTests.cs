using System.Buffers.Binary;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

public sealed class StoreViewTests : IDisposable
{
    private readonly ModelledStore modelled = new();
    private readonly byte[] value = new byte[1000];

    public void Dispose() => modelled.Dispose();

    [Fact]
    public void View_is_the_store_at_its_index_while_another_thread_overwrites_inserts_and_deletes()
    {
        Random random = new(1);
        for (int i = 0; i < 60_000; i++)
            modelled.Put(Key(i), Value(random));
        for (int round = 0; round < 3; round++)
        {
            using ExpectedView view = modelled.BeginView();
            Exception? failure = null;
            bool isRead = false;
            Thread reader = new(() =>
            {
                failure = Xunit.Record.Exception(view.ReadAll);
                Volatile.Write(ref isRead, true);
            });
            reader.Start();
            long writes = 0;
            while (!Volatile.Read(ref isRead) || writes < 30_000)
            {
                int number = random.Next(80_000);
                if (random.Next(4) == 0)
                    modelled.Delete(Key(number));
                else
                    modelled.Put(Key(number), Value(random));
                writes++;
            }
            reader.Join();
            Assert.Null(failure);
            Assert.True(view.Chunks > 10);
            view.Dispose();
            modelled.CheckAll();
            for (long noOps = 0; !modelled.Store.CanBeginView; noOps++)
            {
                // n/8 entries free the slots that n writes deferred.
                Assert.True(noOps <= writes / 8);
                ModelledStore.ApplyNoOp(modelled.Store);
            }
        }
    }

    [Fact]
    public void View_of_an_empty_store_is_read_at_once()
    {
        using ExpectedView view = modelled.BeginView();
        modelled.Put("/a"u8, "1"u8);
        view.ReadAll();
        Assert.Equal(0, view.Chunks);
    }

    [Fact]
    public void Entry_written_and_deleted_since_is_in_no_chunk()
    {
        modelled.Put("/a"u8, "1"u8);
        using ExpectedView view = modelled.BeginView();
        modelled.Put("/b"u8, "2"u8);
        modelled.Put("/b"u8, "3"u8);
        modelled.Delete("/b"u8);
        modelled.Delete("/a"u8);
        modelled.Put("/a"u8, "4"u8);
        view.ReadAll();
        modelled.CheckAll();
    }

    [Fact]
    public void Chunk_holds_one_entry_of_the_largest_size()
    {
        byte[] key = new byte[PutCommand.KeyBytesMax];
        byte[] large = new byte[PutCommand.ValueBytesMax];
        for (byte i = 0; i < 3; i++)
        {
            key[0] = i;
            large[^1] = i;
            modelled.Put(key, large);
        }
        using ExpectedView view = modelled.BeginView();
        modelled.Put(key, "small"u8);
        view.ReadAll();
        Assert.Equal(3, view.Chunks);
    }

    [Fact]
    public void View_abandoned_half_way_frees_the_slots_that_it_held()
    {
        FillSameSize(20_000);
        using (ExpectedView view = modelled.BeginView())
        {
            view.ReadChunk();
            FillSameSize(20_000);
            Assert.False(modelled.Store.CanBeginView);
        }
        for (int i = 0; i < 20_000 / 8; i++)
        {
            Assert.False(modelled.Store.CanBeginView);
            ModelledStore.ApplyNoOp(modelled.Store);
        }
        Assert.True(modelled.Store.CanBeginView);
        // The freed slots serve the next round, so memory stays the same.
        long before = modelled.Store.MemoryBytes;
        using (ExpectedView view = modelled.BeginView())
        {
            FillSameSize(19_000);
            view.ReadAll();
        }
        // A deferred slot takes 8 bytes in the stack of deferred slots.
        Assert.InRange(modelled.Store.MemoryBytes, 0, before + 20_000 * 8 + 64 * 1024);
    }

    [Fact]
    public void Only_the_first_overwrite_under_a_view_takes_memory()
    {
        FillSameSize(20_000);
        using ExpectedView view = modelled.BeginView();
        FillSameSize(20_000);
        long copied = modelled.Store.MemoryBytes;
        for (int i = 0; i < 5; i++)
            FillSameSize(20_000);
        Assert.Equal(copied, modelled.Store.MemoryBytes);
        view.ReadAll();
    }

    [Fact]
    public void Slabs_emptied_under_a_view_serve_other_sizes_only_after_it()
    {
        const int Entries = 20_000;
        for (int i = 0; i < Entries; i++)
            modelled.Put(Key(i), value.AsSpan(0, 300));
        for (int i = 0; i < Entries; i++)
            modelled.Delete(Key(i));
        using (ExpectedView view = modelled.BeginView())
        {
            long emptied = modelled.Store.MemoryBytes;
            for (int i = 0; i < Entries; i++)
                modelled.Put(Key(i), value.AsSpan(0, 500));
            Assert.True(modelled.Store.MemoryBytes - emptied > 500 * Entries);
            view.ReadAll();
        }
        long after = modelled.Store.MemoryBytes;
        for (int i = 0; i < Entries; i++)
            modelled.Put(Key(Entries + i), value.AsSpan(0, 150));
        // Only the index grows.
        Assert.InRange(modelled.Store.MemoryBytes - after, 0, 64 * Entries);
        modelled.CheckAll();
    }

    [Fact]
    public void Second_view_at_a_time_is_a_bug()
    {
        modelled.Put("/a"u8, "1"u8);
        using StoreView view = modelled.Store.BeginView();
        Assert.Throws<InvariantException>(() => modelled.Store.BeginView());
        view.Dispose();
        view.Dispose();
        Assert.Throws<InvariantException>(() => view.Read(new byte[StoreView.ChunkBytesMin], out _));
        modelled.Store.BeginView().Dispose();
    }

    [Fact]
    public void Chunk_too_small_for_some_entry_is_a_bug()
    {
        using StoreView view = modelled.Store.BeginView();
        Assert.Throws<InvariantException>(() => view.Read(new byte[StoreView.ChunkBytesMin - 1], out _));
    }

    private static byte[] Key(int number)
    {
        byte[] key = new byte[16];
        BinaryPrimitives.WriteInt32LittleEndian(key, number);
        return key;
    }

    private void FillSameSize(int keys)
    {
        for (int i = 0; i < keys; i++)
        {
            value[0]++;
            modelled.Put(Key(i), value.AsSpan(0, 64));
        }
    }

    private ReadOnlySpan<byte> Value(Random random)
    {
        int length = random.Next(500);
        random.NextBytes(value.AsSpan(0, Math.Min(length, 16)));
        return value.AsSpan(0, length);
    }
}
