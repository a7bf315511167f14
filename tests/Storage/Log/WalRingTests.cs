using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Tests.Disk;

namespace RaftFast.Storage.Tests.Log;

/// <summary>The log on a real disk, written through a ring as far as the ring can.</summary>
public sealed class WalRingTests : IDisposable
{
    private const int Batches = 200;

    private readonly TemporaryDirectory directory = new();

    [Fact]
    public void Log_that_a_ring_has_written_is_recovered_over_several_segments()
    {
        FileDisk disk = new(directory.Location, DiskWriteMode.Direct);
        using DiskRing ring = Rings.Open(disk);
        LogWriter log = new(disk, LogWriter.Tiny);
        int byRing = 0;
        for (int i = 1; i <= Batches; i++)
        {
            log.Append(term: 1, index: i, valueBytes: i % 7 * 1_000);
            log.Wal.TryPublish(out _);
            Assert.True(log.Wal.Writer.TryTake(out WalBatch batch));
            if (log.Wal.Writer.TryBegin(batch, ring))
            {
                while (!log.Wal.Writer.TryEnd(batch, ring))
                    DiskRingTests.WaitForSignal(ring);
                byRing++;
            }
            else
            {
                log.Wal.Writer.Write(batch);
            }
            log.Wal.Completed(batch);
            log.Wal.Release(i);
            log.Wal.TryPrepareSegment();
        }
        log.Dispose();
        Assert.InRange(byRing, Batches / 2, Batches - 10);
        using LogWriter recovered = new(disk, LogWriter.Tiny);
        log.VerifySame(recovered);
    }

    public void Dispose() => directory.Dispose();
}
