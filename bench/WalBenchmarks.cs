using BenchmarkDotNet.Attributes;
using RaftFast.Protocol;
using RaftFast.Storage;

namespace RaftFast.Bench;

/// <summary>A batch of records through the log onto the real disk: append, publish, take, write, complete.</summary>
[MemoryDiagnoser]
public class WalBenchmarks
{
    private string directory = "";
    private Wal wal = null!;
    private byte[] record = [];

    [Params(1, 64)]
    public int BatchRecords { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        directory = Directory.CreateTempSubdirectory("raftfast-bench-").FullName;
        wal = Wal.Open(new FileDisk(directory, DiskWriteMode.Direct), 1, 1, new WalOptions { SegmentBytes = 512 << 20 }, out _);
        int length = PutCommand.PayloadLength(8, 64);
        record = new byte[Record.LengthOf(length)];
        PutCommand.WriteKey(record.AsSpan(Record.HeaderSize), "/the-key"u8);
        Record.Seal(record, RecordType.Command, length);
    }

    [Benchmark]
    public long Batch()
    {
        for (int i = 0; i < BatchRecords; i++)
        {
            Record.Stamp(record, new LogPosition(1, wal.Last.Index + 1));
            Record.TryReadHeader(record, out RecordHeader header);
            wal.Append(record, header);
        }
        wal.TryPublish(out _);
        while (wal.TryTake(out WalBatch batch))
        {
            wal.Write(batch);
            wal.Completed(batch);
        }
        wal.Release(wal.Last.Index);
        return wal.Last.Index;
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        wal.Dispose();
        Directory.Delete(directory, recursive: true);
    }
}
