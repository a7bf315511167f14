using System.Text;
using RaftFast.Protocol;
using RaftFast.Storage.Store;

namespace RaftFast.Storage.Tests.Store;

/// <summary>A store, and a .NET dictionary of the entries that the store should hold.</summary>
internal sealed class ModelledStore : IDisposable
{
    private readonly Dictionary<string, (byte[] Value, long Index)> model = [];

    public KeyValueStore Store { get; } = new();

    public static byte[] PutRecord(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        int payload = PutCommand.PayloadLength(key.Length, value.Length);
        byte[] record = new byte[Record.LengthOf(payload)];
        int at = PutCommand.WriteKey(record.AsSpan(Record.HeaderSize, payload), key);
        value.CopyTo(record.AsSpan(Record.HeaderSize + at));
        Record.Finish(record, RecordType.Command, payload);
        return record;
    }

    public static void Apply(KeyValueStore store, byte[] record)
    {
        Record.Stamp(record, new LogPosition(1, store.AppliedIndex + 1));
        Record.TryReadHeader(record, out RecordHeader header);
        store.Apply(header, record);
    }

    public static void ApplyNoOp(KeyValueStore store)
    {
        byte[] record = new byte[Record.HeaderSize];
        Record.Finish(record, RecordType.NoOp, 0);
        Apply(store, record);
    }

    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Apply(Store, PutRecord(key, value));
        model[Name(key)] = (value.ToArray(), Store.AppliedIndex);
    }

    public void Delete(ReadOnlySpan<byte> key) => Assert.Equal(model.Remove(Name(key)), Store.Delete(key));

    public void CheckGet(ReadOnlySpan<byte> key)
    {
        bool isThere = model.TryGetValue(Name(key), out (byte[] Value, long Index) expected);
        Assert.Equal(isThere, Store.TryGet(key, out ReadOnlySpan<byte> value, out long index));
        Assert.True(value.SequenceEqual(expected.Value));
        Assert.Equal(expected.Index, index);
    }

    public void CheckAll()
    {
        Assert.Equal(model.Count, Store.Count);
        foreach (string name in model.Keys)
            CheckGet(Encoding.Latin1.GetBytes(name));
    }

    public ExpectedView BeginView() =>
        new(Store.BeginView(), new Dictionary<string, (byte[] Value, long Index)>(model));

    public void Dispose() => Store.Dispose();

    private static string Name(ReadOnlySpan<byte> key) => Encoding.Latin1.GetString(key);
}
