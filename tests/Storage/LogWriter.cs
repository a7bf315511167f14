using RaftFast.Protocol;

namespace RaftFast.Storage.Tests;

/// <summary>All of a log's threads as one, with a copy of what the log should hold.</summary>
internal sealed class LogWriter : IDisposable
{
    public const ulong Cluster = 0xC1;
    public const ulong Member = 7;

    public static readonly WalOptions Small = new() { SlabBytes = new WalOptions().SlabBytesMin, SegmentBytes = 3 << 20, CacheSlabs = 2 };

    private readonly List<byte[]> records = [];

    public LogWriter(IDisk disk, WalOptions? options = null)
    {
        Wal = Wal.Open(disk, Cluster, Member, options ?? Small, out WalRecovery recovery);
        Recovery = recovery;
        for (long index = 1; index <= recovery.Last.Index; index++)
            records.Add(Wal.Read(index, index, 1, out _).ToArray());
        State = recovery.HardState;
    }

    public Wal Wal { get; }

    public WalRecovery Recovery { get; }

    /// <summary>Records by index - 1.</summary>
    public IReadOnlyList<byte[]> Records => records;

    public HardState State { get; private set; }

    public static byte[] MakeRecord(long term, long index, int valueBytes, int seed = 0)
    {
        byte[] value = new byte[valueBytes];
        for (int i = 0; i < value.Length; i++)
            value[i] = (byte)(seed + index * 31 + term * 7 + i);
        byte[] key = "/key"u8.ToArray();
        int payload = PutCommand.PayloadLength(key.Length, valueBytes);
        byte[] record = new byte[Record.LengthOf(payload)];
        int at = PutCommand.WriteKey(record.AsSpan(Record.HeaderSize, payload), key);
        value.CopyTo(record, Record.HeaderSize + at);
        Record.Seal(record, RecordType.Command, payload);
        Record.Stamp(record, new LogPosition(term, index));
        return record;
    }

    public void Append(long term, long index, int valueBytes = 20, int seed = 0) => Append(MakeRecord(term, index, valueBytes, seed));

    public void Append(byte[] record)
    {
        Assert.Equal(DecodeStatus.Complete, Record.TryReadHeader(record, out RecordHeader header));
        Wal.Append(record, header);
        records.RemoveRange((int)header.Position.Index - 1, records.Count - (int)header.Position.Index + 1);
        records.Add(record);
    }

    public void AppendHardState(long term, ulong vote)
    {
        State = new HardState(term, vote);
        Wal.AppendHardState(State);
    }

    /// <summary>Publishes and writes everything.</summary>
    /// <returns>The batches written.</returns>
    public int Sync()
    {
        Wal.TryPublish(out _);
        int batches = 0;
        for (; Wal.TryTake(out WalBatch batch); batches++)
        {
            Wal.Write(batch);
            Wal.Completed(batch);
        }
        return batches;
    }

    public bool WriteSeal()
    {
        if (!Wal.TryTakeSeal(out WalBatch batch))
            return false;
        Wal.Write(batch);
        Wal.Completed(batch);
        return true;
    }

    /// <summary>Reads the log from its first entry to its last and compares it with what was appended.</summary>
    public void Verify()
    {
        Assert.Equal(records.Count, Wal.Last.Index);
        for (long index = 1; index <= records.Count;)
        {
            ReadOnlySpan<byte> run = Wal.Read(index, records.Count, 64 << 10, out int count);
            Assert.True(count > 0);
            int at = 0;
            for (int i = 0; i < count; i++, index++)
            {
                byte[] expected = records[(int)index - 1];
                Assert.True(run.Slice(at, expected.Length).SequenceEqual(expected), $"entry {index} differs");
                at += expected.Length;
            }
            Assert.Equal(run.Length, at);
        }
    }

    /// <summary>Both hold the same entries.</summary>
    public void VerifySame(LogWriter other)
    {
        Assert.Equal(other.records.Count, records.Count);
        for (int i = 0; i < records.Count; i++)
            Assert.True(records[i].AsSpan().SequenceEqual(other.records[i]), $"entry {i + 1} differs");
    }

    public void Dispose() => Wal.Dispose();
}
