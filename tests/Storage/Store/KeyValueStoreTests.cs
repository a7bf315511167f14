using System.Text;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

public sealed class KeyValueStoreTests : IDisposable
{
    private readonly KeyValueStore store = new();

    public void Dispose() => store.Dispose();

    [Fact]
    public void Put_is_read_with_the_index_of_its_entry()
    {
        Put("/a", "1");
        Put("/b", "");
        Put("/a", "longer than before");
        Put("/c", "3");
        Put("/a", "x");
        Assert.Equal(5, store.AppliedIndex);
        Assert.Equal(3, store.Count);
        Expect("/a", "x", 5);
        Expect("/b", "", 2);
        Expect("/c", "3", 4);
        Assert.False(store.TryGet("/d"u8, out ReadOnlySpan<byte> value, out long index));
        Assert.True(value.IsEmpty);
        Assert.Equal(0, index);
    }

    [Fact]
    public void Keys_are_compared_byte_for_byte()
    {
        string[] keys = ["/", "/a", "/A", "/a/", "/a%2Fb", "/a/b", "/a?", "a", "/aa", "/aaa", "/aaaa"];
        foreach (string key in keys)
            Put(key, key);
        Assert.Equal(keys.Length, store.Count);
        for (int i = 0; i < keys.Length; i++)
            Expect(keys[i], keys[i], i + 1);
    }

    [Fact]
    public void No_op_moves_only_the_index()
    {
        byte[] record = new byte[Record.HeaderSize];
        Record.Finish(record, RecordType.NoOp, 0);
        ModelledStore.Apply(store, record);
        Assert.Equal(1, store.AppliedIndex);
        Assert.Equal(0, store.Count);
        Put("/a", "1");
        Expect("/a", "1", 2);
    }

    [Fact]
    public void Entry_out_of_order_is_a_bug()
    {
        Put("/a", "1");
        byte[] record = LogWriter.MakeRecord(1, 3, 1);
        Record.TryReadHeader(record, out RecordHeader gap);
        Assert.Throws<InvariantException>(() => store.Apply(gap, record));
        Assert.Throws<InvariantException>(() => store.Apply(gap with { Position = new(1, 1) }, record));
    }

    [Fact]
    public void Command_that_does_not_decode_is_a_bug()
    {
        byte[] record = new byte[Record.LengthOf(4)];
        Record.Finish(record, RecordType.Command, 4);
        Assert.Throws<InvariantException>(() => ModelledStore.Apply(store, record));
    }

    [Fact]
    public void Any_other_entry_moves_only_the_index()
    {
        byte[] record = new byte[Record.LengthOf(40)];
        Record.Finish(record, RecordType.Command, 40);
        Record.Stamp(record, new LogPosition(1, 1));
        Record.TryReadHeader(record, out RecordHeader header);
        store.Apply(header with { Type = (RecordType)4 }, record);
        Assert.Equal(1, store.AppliedIndex);
        Assert.Equal(0, store.Count);
    }

    [Fact]
    public void Hard_state_is_never_applied()
    {
        byte[] record = LogWriter.MakeRecord(1, 1, 1);
        Record.TryReadHeader(record, out RecordHeader header);
        Assert.Throws<InvariantException>(() => store.Apply(header with { Type = RecordType.HardState }, record));
    }

    [Fact]
    public void Snapshot_is_loaded_only_into_a_store_to_which_nothing_was_applied()
    {
        Load("/a"u8, "1"u8, 4);
        Load("/b"u8, "2"u8, 7);
        Assert.Throws<InvariantException>(() => Put("/c", "3"));
        Assert.Throws<InvariantException>(() => store.LoadedTo(6));
        store.LoadedTo(9);
        Assert.Throws<InvariantException>(() => Load("/c"u8, "3"u8, 8));
        Assert.Throws<InvariantException>(() => store.LoadedTo(9));
        Expect("/a", "1", 4);
        Put("/a", "3");
        Expect("/a", "3", 10);
        Expect("/b", "2", 7);
    }

    [Fact]
    public void Key_loaded_twice_is_a_bug()
    {
        Load("/a"u8, "1"u8, 4);
        Assert.Throws<InvariantException>(() => Load("/a"u8, "1"u8, 5));
    }

    [Fact]
    public void Key_loaded_twice_in_one_chunk_is_a_bug()
    {
        byte[] entry = new byte[SnapshotEntry.LengthOf(2, 1)];
        new SnapshotEntry("/a"u8, "1"u8, 4).Write(entry);
        Assert.Throws<InvariantException>(() => store.TryLoad([.. entry, .. entry]));
    }

    [Fact]
    public void Bytes_that_are_no_entry_are_not_loaded()
    {
        byte[] entry = new byte[SnapshotEntry.LengthOf(2, 1)];
        new SnapshotEntry("/a"u8, "1"u8, 4).Write(entry);
        for (int length = 1; length < entry.Length; length++)
            Assert.False(store.TryLoad(entry.AsSpan(0, length)));
        Assert.True(store.TryLoad(default));
        Assert.Equal(0, store.Count);
    }

    /// <summary>The result is the same whatever number of entries was expected.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(10_000)]
    [InlineData(1_000_000)]
    public void Snapshot_is_loaded_into_an_index_of_any_size(long expectedEntries)
    {
        const int Entries = 10_000;
        using KeyValueStore loaded = new(expectedEntries);
        byte[] chunk = new byte[Entries * SnapshotEntry.LengthOf(8, 3)];
        int length = 0;
        for (int i = 0; i < Entries; i++)
            length += new SnapshotEntry(Key(i), "abc"u8, i + 1).Write(chunk.AsSpan(length));
        Assert.True(loaded.TryLoad(chunk.AsSpan(0, length)));
        loaded.LoadedTo(Entries);
        Assert.Equal(Entries, loaded.Count);
        for (int i = 0; i < Entries; i++)
        {
            Assert.True(loaded.TryGet(Key(i), out ReadOnlySpan<byte> value, out long index));
            Assert.True(value.SequenceEqual("abc"u8));
            Assert.Equal(i + 1, index);
        }
        ModelledStore.Apply(loaded, ModelledStore.PutRecord("/new"u8, "1"u8));
        Assert.True(loaded.TryGet("/new"u8, out _, out _));
    }

    [Fact]
    public void Index_prepared_for_the_entries_does_not_move_them_while_they_are_loaded()
    {
        const int Entries = 100_000;
        using KeyValueStore prepared = new(Entries);
        byte[] chunk = new byte[SnapshotEntry.LengthOf(8, 0)];
        for (int i = 0; i < Entries; i++)
        {
            new SnapshotEntry(Key(i), default, i + 1).Write(chunk);
            Assert.True(prepared.TryLoad(chunk));
        }
        Assert.InRange(prepared.Rehashed, 0, Entries / 100);
    }

    [Fact]
    public void Use_of_a_disposed_store_is_a_bug()
    {
        Put("/a", "1");
        store.Dispose();
        store.Dispose();
        Assert.Throws<InvariantException>(() => Put("/a", "1"));
        Assert.Throws<InvariantException>(() => store.TryGet("/a"u8, out _, out _));
        Assert.Throws<InvariantException>(() => store.Delete("/a"u8));
        Assert.Throws<InvariantException>(() => store.BeginView());
    }

    private static byte[] Key(int number) => Encoding.ASCII.GetBytes($"/{number:d7}");

    private void Put(string key, string value)
    {
        byte[] keyBytes = Encoding.ASCII.GetBytes(key);
        byte[] valueBytes = Encoding.ASCII.GetBytes(value);
        ModelledStore.Apply(store, ModelledStore.PutRecord(keyBytes, valueBytes));
    }

    private void Expect(string key, string value, long index)
    {
        Assert.True(store.TryGet(Encoding.ASCII.GetBytes(key), out ReadOnlySpan<byte> read, out long written));
        Assert.Equal(value, Encoding.ASCII.GetString(read));
        Assert.Equal(index, written);
    }

    private void Load(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long index)
    {
        byte[] entry = new byte[SnapshotEntry.LengthOf(key.Length, value.Length)];
        new SnapshotEntry(key, value, index).Write(entry);
        Assert.True(store.TryLoad(entry));
    }
}
