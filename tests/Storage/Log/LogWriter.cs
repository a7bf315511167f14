using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Storage.Tests.Log;

/// <summary>
/// A log whose parts are all driven by one thread, and a copy of the entries that the log should hold.
/// </summary>
internal sealed class LogWriter : IDisposable
{
    public const ulong Cluster = 0xC1;
    public const ulong Member = 7;

    public static readonly WalOptions Small = new()
    {
        BufferBytes = new WalOptions().BufferBytesMin,
        SegmentBytes = 3 << 20,
        CacheBuffers = 2,
    };

    /// <summary>Segments of seven batches of one block.</summary>
    public static readonly WalOptions Tiny = new()
    {
        RecordBytesMax = 8192 - WalBatchHeader.Size,
        BufferBytes = 8192,
        ReserveBytes = 4096,
        SegmentBytes = 32 << 10,
        CacheBuffers = 2,
        SpareSegments = 1,
    };

    private readonly List<byte[]> records = [];

    /// <param name="snapshot">Last entry that a snapshot covers.</param>
    public LogWriter(IDisk disk, WalOptions? options = null, LogPosition snapshot = default)
    {
        Wal = Wal.Open(disk, Cluster, Member, options ?? Small, snapshot, out WalRecovery recovery);
        Recovery = recovery;
        Base = recovery.Base;
        for (long index = Wal.FirstIndex; index <= recovery.Last.Index; index++)
            records.Add(Wal.Read(index, index, 1, out _).ToArray());
        State = recovery.HardState;
    }

    public Wal Wal { get; }

    public WalRecovery Recovery { get; }

    /// <summary>Position of the entry before the log's first entry.</summary>
    public LogPosition Base { get; private set; }

    /// <summary>Records of the entries after <see cref="Base"/>.</summary>
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
        Record.Finish(record, RecordType.Command, payload);
        Record.Stamp(record, new LogPosition(term, index));
        return record;
    }

    public void Append(long term, long index, int valueBytes = 20, int seed = 0) =>
        Append(MakeRecord(term, index, valueBytes, seed));

    public void Append(byte[] record)
    {
        Assert.Equal(DecodeStatus.Complete, Record.TryReadHeader(record, out RecordHeader header));
        Wal.Append(record, header);
        int at = (int)(header.Position.Index - Base.Index - 1);
        records.RemoveRange(at, records.Count - at);
        records.Add(record);
    }

    public void AppendHardState(long term, ulong vote)
    {
        State = new HardState(term, vote);
        Wal.AppendHardState(State);
    }

    public void CompactTo(long index)
    {
        Wal.CompactTo(index);
        int count = (int)(Wal.FirstIndex - 1 - Base.Index);
        if (count > 0)
            Base = PositionOf(records[count - 1]);
        records.RemoveRange(0, count);
    }

    public long ResetTo(LogPosition snapshot)
    {
        Assert.True(TryResetTo(snapshot, out long batch));
        return batch;
    }

    public bool TryResetTo(LogPosition snapshot, out long batch)
    {
        Wal.TryPrepareSegment();
        if (!Wal.TryResetTo(snapshot, out batch))
            return false;
        if (Base.Index + records.Count > 0)
        {
            LogPosition last = records.Count == 0 ? Base : PositionOf(records[^1]);
            State = last.Term > State.Term ? new HardState(last.Term, 0) : State;
        }
        records.Clear();
        Base = snapshot;
        return true;
    }

    public static LogPosition PositionOf(byte[] record)
    {
        Record.TryReadHeader(record, out RecordHeader header);
        return header.Position;
    }

    /// <summary>Publishes and writes all appended records.</summary>
    /// <returns>Number of batches written.</returns>
    public int Sync()
    {
        Wal.TryPublish(out _);
        int batches = 0;
        for (; Wal.Writer.TryTake(out WalBatch batch); batches++)
        {
            Wal.Writer.Write(batch);
            Wal.Completed(batch);
        }
        return batches;
    }

    public bool WriteSeal()
    {
        if (!Wal.Writer.TryTakeSeal(out WalBatch batch))
            return false;
        Wal.Writer.Write(batch);
        Wal.Completed(batch);
        return true;
    }

    /// <summary>Reads the whole log and compares it with the appended records.</summary>
    public void Verify()
    {
        long last = Base.Index + records.Count;
        Assert.Equal(Base.Index + 1, Wal.FirstIndex);
        Assert.Equal(last, Wal.Last.Index);
        for (long index = Wal.FirstIndex; index <= last;)
        {
            ReadOnlySpan<byte> run = Wal.Read(index, last, 64 << 10, out int count);
            Assert.True(count > 0);
            int at = 0;
            for (int i = 0; i < count; i++, index++)
            {
                byte[] expected = records[(int)(index - Wal.FirstIndex)];
                Assert.True(run.Slice(at, expected.Length).SequenceEqual(expected), $"entry {index} differs");
                at += expected.Length;
            }
            Assert.Equal(run.Length, at);
        }
    }

    /// <summary>Verifies that both logs hold the same entries.</summary>
    public void VerifySame(LogWriter other)
    {
        Assert.Equal(other.Base, Base);
        Assert.Equal(other.records.Count, records.Count);
        for (int i = 0; i < records.Count; i++)
            Assert.True(records[i].AsSpan().SequenceEqual(other.records[i]), $"entry {Wal.FirstIndex + i} differs");
    }

    public void Dispose() => Wal.Dispose();
}
