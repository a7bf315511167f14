using System.Buffers.Text;
using RaftFast.Protocol;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Bench;

/// <summary>
/// Creates the data directory of a cluster of one member, with a snapshot and entries in the log after it.
/// </summary>
internal static class RecoveryData
{
    public const int KeyBytes = 16;
    public const int ValueBytes = 64;

    private const int BatchBytes = 1 << 20;

    public static string Key(int number) => $"/{number:d15}";

    /// <param name="keys">Number of keys in the snapshot.</param>
    /// <param name="entries">Number of entries in the log after the snapshot.</param>
    /// <returns>Bytes of the snapshot and of the log.</returns>
    public static (long Snapshot, long Log) Create(string path, PeerAddress address, int keys, int entries)
    {
        ClusterConfiguration cluster = ClusterConfiguration.Bootstrap([address]);
        using DataDirectory directory = DataDirectory.Open(path, DiskWriteMode.Direct);
        directory.WriteIdentity(new NodeIdentity(1, address, 1, cluster));
        LogPosition last = new(1, keys);
        long snapshot = WriteSnapshot(SnapshotStore.Open(directory.Disk, cluster.ClusterId), cluster, last);
        Wal.Create(directory.Disk, cluster.ClusterId, 1, new WalOptions(), last);
        return (snapshot, WriteLog(directory.Disk, cluster.ClusterId, last, keys, entries));
    }

    private static long WriteSnapshot(SnapshotStore store, ClusterConfiguration cluster, LogPosition last)
    {
        using SnapshotWriter writer = store.TryCreate(last, ConfigurationRecord.Write(cluster), nonce: 1)!;
        Span<byte> key = stackalloc byte[KeyBytes];
        byte[] value = new byte[ValueBytes];
        int length = 0;
        int inChunk = 0;
        for (int i = 0; i < last.Index; i++)
        {
            WriteKey(key, i);
            length += new SnapshotEntry(key, value, i + 1).Write(writer.Payload[length..]);
            inChunk++;
            if (length + SnapshotEntry.LengthOf(KeyBytes, ValueBytes) <= writer.Payload.Length && i + 1 < last.Index)
                continue;
            Invariant.Hold(writer.TryWriteChunk(length, inChunk));
            length = inChunk = 0;
        }
        Invariant.Hold(writer.Complete() == SnapshotPublishStatus.Published);
        return writer.Bytes;
    }

    private static long WriteLog(IDisk disk, ulong clusterId, LogPosition last, int keys, int entries)
    {
        using Wal wal = Wal.Open(disk, clusterId, 1, new WalOptions(), last, out _);
        int payload = PutCommand.PayloadLength(KeyBytes, ValueBytes);
        byte[] record = new byte[Record.LengthOf(payload)];
        Span<byte> key = stackalloc byte[KeyBytes];
        Random random = new(1);
        long bytes = 0;
        wal.AppendHardState(new HardState(1, 1));
        for (int i = 1; i <= entries; i++)
        {
            WriteKey(key, random.Next(keys));
            PutCommand.WriteKey(record.AsSpan(Record.HeaderSize), key);
            Record.Finish(record, RecordType.Command, payload);
            Record.Stamp(record, last with { Index = last.Index + i });
            Invariant.Hold(Record.TryReadHeader(record, out RecordHeader header) == DecodeStatus.Complete);
            wal.Append(record, header);
            if (i % (BatchBytes / record.Length) == 0 || i == entries)
                bytes += Write(wal);
        }
        return bytes;
    }

    private static long Write(Wal wal)
    {
        long bytes = 0;
        wal.TryPublish(out _);
        while (wal.Writer.TryTake(out WalBatch batch))
        {
            wal.Writer.Write(batch);
            wal.Completed(batch);
            wal.Release(wal.Last.Index);
            bytes += batch.Bytes;
        }
        wal.TryPrepareSegment();
        return bytes;
    }

    private static void WriteKey(Span<byte> key, int number)
    {
        key.Fill((byte)'0');
        key[0] = (byte)'/';
        Span<byte> digits = stackalloc byte[KeyBytes];
        Utf8Formatter.TryFormat(number, digits, out int length);
        digits[..length].CopyTo(key[(KeyBytes - length)..]);
    }
}
