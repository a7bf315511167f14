using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

/// <summary>Compares the store with a .NET dictionary, under random operations.</summary>
public sealed class StorePropertyTests : IDisposable
{
    private const int Keys = 400;

    private readonly ModelledStore modelled = new();
    private readonly byte[] source = new byte[PutCommand.ValueBytesMax];

    public void Dispose() => modelled.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Store_and_its_views_agree_with_a_dictionary(int seed)
    {
        Random random = new(seed);
        random.NextBytes(source);
        ExpectedView? view = null;
        int views = 0;
        for (int step = 0; step < 20_000; step++)
        {
            byte[] key = Key(random.Next(Keys));
            switch (random.Next(100))
            {
                case < 50:
                    modelled.Put(key, Value(random));
                    break;
                case < 70:
                    modelled.Delete(key);
                    break;
                case < 90:
                    modelled.CheckGet(key);
                    break;
                case < 92:
                    ModelledStore.ApplyNoOp(modelled.Store);
                    break;
                case < 97:
                    view?.ReadChunk();
                    break;
                case < 98 when view is not null:
                    if (random.Next(4) > 0)
                        view.ReadAll();
                    view.Dispose();
                    view = null;
                    break;
                case < 99 when view is null && modelled.Store.CanBeginView:
                    view = modelled.BeginView();
                    views++;
                    break;
            }
        }
        Assert.True(views > 10);
        modelled.CheckAll();
        view?.ReadAll();
        view?.Dispose();
    }

    [Fact]
    public void Loaded_snapshot_equals_the_store()
    {
        Random random = new(7);
        random.NextBytes(source);
        for (int i = 0; i < 5_000; i++)
            modelled.Put(Key(random.Next(Keys)), Value(random));
        ModelledStore.ApplyNoOp(modelled.Store);
        using KeyValueStore loaded = new();
        using (StoreView view = modelled.Store.BeginView())
        {
            byte[] chunk = new byte[StoreView.ChunkBytesMin];
            for (int length = view.Read(chunk, out _); length > 0; length = view.Read(chunk, out _))
                Assert.True(loaded.TryLoad(chunk.AsSpan(0, length)));
            loaded.LoadedTo(view.AppliedIndex);
        }
        Assert.Equal(modelled.Store.AppliedIndex, loaded.AppliedIndex);
        Assert.Equal(modelled.Store.Count, loaded.Count);
        for (int i = 0; i < Keys; i++)
        {
            bool isThere = modelled.Store.TryGet(Key(i), out ReadOnlySpan<byte> expected, out long expectedIndex);
            Assert.Equal(isThere, loaded.TryGet(Key(i), out ReadOnlySpan<byte> value, out long index));
            Assert.True(value.SequenceEqual(expected));
            Assert.Equal(expectedIndex, index);
        }
        ModelledStore.Apply(loaded, ModelledStore.PutRecord("/after"u8, "1"u8));
        Assert.True(loaded.TryGet("/after"u8, out _, out long after));
        Assert.Equal(modelled.Store.AppliedIndex + 1, after);
    }

    /// <summary>Key of a number. Lengths vary from 1 to the limit.</summary>
    private static byte[] Key(int number)
    {
        int length = number switch
        {
            0 => PutCommand.KeyBytesMax,
            < 10 => 900 * number,
            < 100 => 1 + number / 50,
            _ => number % 60 + 2,
        };
        byte[] key = new byte[length];
        key[0] = (byte)number;
        key[^1] = (byte)number;
        if (length > 1)
            key[1] = (byte)(number / 256 + number % 50);
        return key;
    }

    private ReadOnlySpan<byte> Value(Random random)
    {
        int length = random.Next(1000) switch
        {
            0 => PutCommand.ValueBytesMax,
            < 5 => random.Next(PutCommand.ValueBytesMax),
            < 20 => random.Next(28_000, 36_000),
            < 100 => 0,
            < 300 => random.Next(5_000),
            _ => random.Next(200),
        };
        return source.AsSpan(random.Next(source.Length - length + 1), length);
    }
}
