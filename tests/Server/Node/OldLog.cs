using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using Record = RaftFast.Protocol.Record;

namespace RaftFast.Server.Tests.Node;

/// <summary>A log that an earlier process has written, so that none of its entries is in memory.</summary>
internal static class OldLog
{
    public static readonly WalOptions Options = new() { SegmentBytes = 8 << 20 };

    /// <summary>Writes entries of term 1, one in each batch.</summary>
    public static void Write(IDisk disk, int entries, int valueBytes)
    {
        using Wal wal = Wal.Open(disk, clusterId: 1, memberId: 1, Options, out _);
        wal.AppendHardState(new HardState(1, 0));
        int length = PutCommand.PayloadLength(keyLength: 4, valueBytes);
        byte[] record = new byte[Record.LengthOf(length)];
        PutCommand.WriteKey(record.AsSpan(Record.HeaderSize), "/key"u8);
        Record.Finish(record, RecordType.Command, length);
        for (int index = 1; index <= entries; index++)
        {
            Record.Stamp(record, new LogPosition(1, index));
            Record.TryReadHeader(record, out RecordHeader header);
            wal.TryPrepareSegment();
            wal.Append(record, header);
            wal.TryPublish(out _);
            while (wal.Writer.TryTake(out WalBatch batch))
            {
                wal.Writer.Write(batch);
                wal.Completed(batch);
            }
        }
    }
}
