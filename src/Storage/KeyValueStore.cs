using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using RaftFast.Protocol;

namespace RaftFast.Storage;

/// <summary>The state machine: keys and values, as of one index of the log. One thread.</summary>
public sealed class KeyValueStore
{
    private readonly Dictionary<byte[], Entry> entries;
    private readonly Dictionary<byte[], Entry>.AlternateLookup<ReadOnlySpan<byte>> lookup;

    public KeyValueStore()
    {
        entries = new Dictionary<byte[], Entry>(new KeyComparer());
        lookup = entries.GetAlternateLookup<ReadOnlySpan<byte>>();
    }

    public long AppliedIndex { get; private set; }

    public int Count => entries.Count;

    /// <summary>Applies the entry after <see cref="AppliedIndex"/>. Overwriting a value with one that fits its buffer allocates nothing.</summary>
    /// <param name="record">A verified log entry; copied.</param>
    public void Apply(in RecordHeader header, ReadOnlySpan<byte> record)
    {
        Invariant.Hold(header.Position.Index == AppliedIndex + 1);
        Invariant.Hold(header.Type is RecordType.NoOp or RecordType.Command or RecordType.Configuration);
        AppliedIndex = header.Position.Index;
        if (header.Type != RecordType.Command)
            return;
        DecodeStatus status = PutCommand.TryRead(Record.Payload(record, header), out PutCommand put);
        Invariant.Hold(status == DecodeStatus.Complete);
        ref Entry entry = ref CollectionsMarshal.GetValueRefOrAddDefault(lookup, put.Key, out _);
        if (entry.Buffer is null || entry.Buffer.Length < put.Value.Length)
            entry.Buffer = put.Value.ToArray();
        else
            put.Value.CopyTo(entry.Buffer);
        entry.Length = put.Value.Length;
        entry.Index = AppliedIndex;
    }

    /// <param name="value">Valid until the next <see cref="Apply"/>.</param>
    /// <param name="index">Of the key's last write.</param>
    public bool TryGet(ReadOnlySpan<byte> key, out ReadOnlySpan<byte> value, out long index)
    {
        ref readonly Entry entry = ref CollectionsMarshal.GetValueRefOrNullRef(lookup, key);
        bool exists = !Unsafe.IsNullRef(in entry);
        value = exists ? entry.Buffer.AsSpan(0, entry.Length) : default;
        index = exists ? entry.Index : 0;
        return exists;
    }

    private struct Entry
    {
        public byte[]? Buffer;
        public int Length;
        public long Index;
    }
}
