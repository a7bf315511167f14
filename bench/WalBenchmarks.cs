using BenchmarkDotNet.Attributes;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Bench;

/// <summary>
/// Writes batches of records through the log to the real disk: append, publish, take, write, complete. Segments are
/// recycled as after a snapshot. The time is mostly the disk's sync.
/// </summary>
[MemoryDiagnoser]
public class WalBenchmarks
{
    private const int Batches = 256;

    /// <summary>
    /// Large enough that no segment is full within a few thousand batches: a new segment allocates, mostly file names.
    /// </summary>
    private const long SegmentBytes = 64 << 20;

    private string directory = "";
    private Wal wal = null!;
    private byte[] record = [];

    [Params(1, 64)]
    public int BatchRecords { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        directory = Directory.CreateTempSubdirectory("raftfast-bench-").FullName;
        FileDisk disk = new(directory, DiskWriteMode.Direct);
        wal = Wal.Open(disk, 1, 1, new WalOptions { SegmentBytes = SegmentBytes }, out _);
        record = PutRecord.Of("/the-key", 64);
    }

    [Benchmark(OperationsPerInvoke = Batches)]
    public void Batch()
    {
        for (int i = 0; i < Batches; i++)
            WriteBatch();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        wal.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private void WriteBatch()
    {
        for (int i = 0; i < BatchRecords; i++)
        {
            Record.Stamp(record, new LogPosition(1, wal.Last.Index + 1));
            Record.TryReadHeader(record, out RecordHeader header);
            wal.Append(record, header);
        }
        wal.TryPublish(out _);
        if (!wal.Writer.TryTake(out WalBatch batch))
            throw new InvalidOperationException("the log has no place for the batch");
        wal.Writer.Write(batch);
        wal.Completed(batch);
        wal.Release(wal.Last.Index);
        if (wal.NextSegmentIsReady)
            return;
        wal.CompactTo(wal.Last.Index);
        wal.TryPrepareSegment();
    }
}
