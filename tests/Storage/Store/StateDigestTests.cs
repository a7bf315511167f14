using System.Text;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

/// <summary>Equal states have equal digests, and different states different ones.</summary>
public sealed class StateDigestTests : IDisposable
{
    private const int Keys = 60;

    private readonly KeyValueStore store = new();
    private readonly byte[] source = new byte[100_000];

    public void Dispose() => store.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Digest_is_the_same_by_entries_and_by_a_snapshot(int seed)
    {
        Random random = new(seed);
        random.NextBytes(source);
        StoreView? view = null;
        for (int round = 0; round < 20; round++)
        {
            for (int step = 0; step < 200; step++)
            {
                ModelledStore.Apply(store, RandomCommand(random, store));
                // Entries that a view shows move when they are overwritten.
                if (view is not null && random.Next(50) == 0)
                {
                    view.Dispose();
                    view = null;
                }
                else if (view is null && store.CanBeginView && random.Next(50) == 0)
                {
                    view = store.BeginView();
                }
            }
            view?.Dispose();
            view = null;
            while (!store.CanBeginView)
                ModelledStore.ApplyNoOp(store);
            using KeyValueStore loaded = Reload(expectedEntries: round % 2 == 0 ? 0 : 100_000);
            Assert.Equal(store.Digest, loaded.Digest);
            for (int step = 0; step < 20; step++)
            {
                byte[] record = RandomCommand(random, store);
                ModelledStore.Apply(store, [.. record]);
                ModelledStore.Apply(loaded, record);
                Assert.Equal(store.Digest, loaded.Digest);
            }
        }
    }

    [Fact]
    public void Entry_that_is_written_and_deleted_leaves_nothing()
    {
        using KeyValueStore other = new();
        Put(store, "/a", "1");
        Put(other, "/a", "1");
        Put(store, "/b", "2");
        store.Delete("/b"u8);
        ModelledStore.ApplyNoOp(other);
        Assert.Equal(other.Digest, store.Digest);
    }

    [Fact]
    public void Every_bit_of_an_entry_counts()
    {
        HashSet<UInt128> digests = [];
        byte[] key = "/key"u8.ToArray();
        byte[] value = "some value"u8.ToArray();
        const long Index = 3L << 40;
        const long Time = 3L << 41;
        Assert.True(digests.Add(DigestOf(key, value, Index, Time)));
        Assert.True(digests.Add(DigestOf(key, value, Index, null)));
        Assert.True(digests.Add(DigestOf(key, value, Index, 0)));
        Assert.True(digests.Add(DigestOf("/keys"u8, "ome value"u8, Index, Time)));
        for (int bit = 0; bit < 8 * key.Length; bit++)
            Assert.True(digests.Add(DigestOf(Flip(key, bit), value, Index, Time)));
        for (int bit = 0; bit < 8 * value.Length; bit++)
            Assert.True(digests.Add(DigestOf(key, Flip(value, bit), Index, Time)));
        for (int bit = 0; bit < 59; bit++)
        {
            Assert.True(digests.Add(DigestOf(key, value, Index ^ (1L << bit), Time)));
            Assert.True(digests.Add(DigestOf(key, value, Index, Time ^ (1L << bit))));
        }
    }

    [Fact]
    public void Every_bit_of_a_large_value_counts()
    {
        HashSet<UInt128> digests = [];
        byte[] value = new byte[SizeClasses.SlotBytesMax + 1];
        for (int bit = 0; bit < 8 * value.Length; bit += 997)
            Assert.True(digests.Add(DigestOf("/large"u8, Flip(value, bit), 1, null)));
    }

    [Fact]
    public void Index_of_the_log_and_log_time_count()
    {
        UInt128 first = store.Digest;
        ModelledStore.ApplyNoOp(store);
        UInt128 second = store.Digest;
        Assert.NotEqual(first, second);
        ModelledStore.Apply(store, Command(CommandOperation.Expire, "/none", "", argument: 1, time: 5));
        UInt128 third = store.Digest;
        using KeyValueStore other = new();
        ModelledStore.ApplyNoOp(other);
        ModelledStore.Apply(other, Command(CommandOperation.Expire, "/none", "", argument: 1, time: 6));
        Assert.NotEqual(third, other.Digest);
    }

    [Fact] // members of different versions and processors compare their digests
    public void Digest_is_the_same_in_every_process_and_version()
    {
        Put(store, "/a", "1");
        ModelledStore.Apply(
            store, Command(CommandOperation.Put, "/b", new string('b', 300), argument: 1000, token: "t", time: 70));
        Assert.Equal("8e45a06d7f3fefdf44000f3b147029a7", store.Digest.ToString("x32", null));
    }

    private static byte[] Flip(ReadOnlySpan<byte> bytes, int bit)
    {
        byte[] flipped = bytes.ToArray();
        flipped[bit / 8] ^= (byte)(1 << (bit % 8));
        return flipped;
    }

    private static UInt128 DigestOf(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long index, long? time)
    {
        using KeyValueStore loaded = new();
        SnapshotEntry entry = new(key, value, index, time);
        byte[] encoded = new byte[SnapshotEntry.LengthOf(key.Length, value.Length, time is not null)];
        entry.Write(encoded);
        Assert.True(loaded.TryLoad(encoded));
        loaded.LoadedTo(LogPosition.Greatest);
        return loaded.Digest;
    }

    private static void Put(KeyValueStore store, string key, string value) =>
        ModelledStore.Apply(
            store, ModelledStore.PutRecord(Encoding.ASCII.GetBytes(key), Encoding.ASCII.GetBytes(value)));

    private KeyValueStore Reload(int expectedEntries)
    {
        using StoreView view = store.BeginView();
        KeyValueStore loaded = new(expectedEntries);
        byte[] chunk = new byte[StoreView.ChunkBytesMin];
        int length;
        while ((length = view.Read(chunk, out _)) > 0)
            Assert.True(loaded.TryLoad(chunk.AsSpan(0, length)));
        loaded.LoadedTo(view.AppliedIndex);
        return loaded;
    }

    private byte[] RandomCommand(Random random, KeyValueStore of)
    {
        string key = $"/{random.Next(Keys)}";
        long time = of.LogTime + random.Next(20);
        return random.Next(10) switch
        {
            0 => Command(CommandOperation.Delete, key, ""),
            1 => Command(CommandOperation.Put, key, Value(random), argument: 1 + random.Next(200), time: time),
            2 => Command(CommandOperation.Put, key, Value(random), token: $"t{random.Next(Keys)}", time: time),
            3 => Command(
                CommandOperation.Expire, key, "", argument: Math.Max(1, of.TagOf(Encoding.ASCII.GetBytes(key))),
                time: time),
            4 => Command(CommandOperation.Forget, "", "", argument: Math.Max(0, time - 400), time: time),
            _ => ModelledStore.PutRecord(Encoding.ASCII.GetBytes(key), Encoding.ASCII.GetBytes(Value(random))),
        };
    }

    private string Value(Random random)
    {
        int length = random.Next(20) switch
        {
            0 => random.Next(30_000, 36_000),
            1 => 0,
            _ => random.Next(200),
        };
        return Convert.ToHexString(source, random.Next(1000), length / 2);
    }

    /// <param name="time">Log time.</param>
    private static byte[] Command(
        CommandOperation operation, string key, string value, long argument = 0, string token = "", long time = 0)
    {
        int payload = KeyCommand.HeadBytes(0, token.Length) + key.Length + value.Length;
        byte[] record = new byte[Record.LengthOf(payload)];
        Span<byte> span = record.AsSpan(Record.HeaderSize, payload);
        bool isOwn = operation is CommandOperation.Expire or CommandOperation.Forget;
        int at = KeyCommand.WriteHead(
            span, operation, default, Encoding.ASCII.GetBytes(token), Encoding.ASCII.GetBytes(key), argument,
            isOwn ? time : 0);
        Encoding.ASCII.GetBytes(value).CopyTo(span[at..]);
        if (token.Length > 0)
            KeyCommand.SetFingerprint(span);
        Record.Finish(record, RecordType.Command, payload);
        Record.TryReadHeader(record, out RecordHeader header);
        CommandHead.SetTime(record, header, time);
        return record;
    }
}
