using CsCheck;
using RaftFast.Protocol;
using RaftFast.Storage.Log;

namespace RaftFast.Storage.Tests.Log;

public sealed class WalPropertyTests
{
    private enum Step
    {
        Append,
        Truncate,
        HardState,
        Publish,
        Sync,
        Seal,
        Release,
        Prepare,
        CrashTorn,
        Reset,
    }

    private static readonly Gen<(Step, int)[]> Histories =
        Gen.Select(
            Gen.Frequency(
                (10, Gen.Const(Step.Append)), (2, Gen.Const(Step.Truncate)), (2, Gen.Const(Step.HardState)),
                (4, Gen.Const(Step.Publish)), (6, Gen.Const(Step.Sync)), (1, Gen.Const(Step.Seal)),
                (2, Gen.Const(Step.Release)), (1, Gen.Const(Step.Prepare)), (1, Gen.Const(Step.CrashTorn)),
                (1, Gen.Const(Step.Reset))),
            Gen.Int[0, 1 << 20]).Array[1, 120];

    [Fact]
    public void Recovery_yields_exactly_the_durable_entries() =>
        Histories.Sample(Replay, iter: 60, threads: 1);

    private static void Replay((Step Step, int Value)[] history)
    {
        MemoryDisk disk = new();
        LogWriter log = new(disk);
        long term = 1;
        int released = 0;
        List<byte[]> durable = [];
        HardState durableState = default;
        foreach ((Step step, int value) in history)
        {
            switch (step)
            {
                case Step.Append:
                    log.Append(term, log.Wal.Last.Index + 1, value % 5 == 0 ? value : value % 9000, value);
                    break;
                case Step.Truncate when log.Records.Count > released:
                    log.Append(++term, released + 1 + value % (log.Records.Count - released), value % 3000, value);
                    break;
                case Step.HardState:
                    log.AppendHardState(++term, (ulong)value % 3);
                    break;
                case Step.Publish:
                    log.Wal.TryPublish(out _);
                    break;
                case Step.Sync:
                    log.Sync();
                    (durable, durableState) = ([.. log.Records], log.State);
                    break;
                case Step.Seal:
                    log.WriteSeal();
                    break;
                case Step.Release:
                    released = durable.Count == 0 ? released : Math.Max(released, value % (durable.Count + 1));
                    released = Math.Min(released, log.Records.Count);
                    log.Wal.Release(released);
                    log.Verify();
                    break;
                case Step.Prepare:
                    log.Wal.TryPrepareSegment();
                    break;
                case Step.CrashTorn:
                    // Writes all records that aren't synced, and loses a part of the last batch.
                    log.Wal.TryPublish(out _);
                    if (log.Wal.Writer.TryTake(out WalBatch batch))
                        Tear(disk, log.Wal, batch, value);
                    Reset(disk, ref log, ref released, durable, durableState);
                    term = Math.Max(log.State.Term, log.Wal.Last.Term) + 1;
                    break;
                case Step.Reset:
                    Reset(disk, ref log, ref released, durable, durableState);
                    term = Math.Max(log.State.Term, log.Wal.Last.Term) + 1;
                    break;
            }
        }
        Reset(disk, ref log, ref released, durable, durableState);
        log.Verify();
        log.Dispose();
    }

    private static void Tear(MemoryDisk disk, Wal wal, in WalBatch batch, int value)
    {
        wal.Writer.Write(batch);
        Span<byte> written = disk[WalSegment.Name(batch.Segment)].AsSpan(batch.Offset, batch.Bytes);
        // The first sector has the header. Without the header the batch never counts.
        written[..512].Clear();
        for (int sector = 1; sector < written.Length / 512; sector++)
        {
            if ((value >> (sector % 20) & 1) == 0)
                written.Slice(sector * 512, 512).Clear();
        }
    }

    private static void Reset(
        MemoryDisk disk, ref LogWriter log, ref int released, List<byte[]> durable, HardState durableState)
    {
        log.Dispose();
        disk.Crash();
        log = new LogWriter(disk);
        Assert.Equal(durable.Count, log.Records.Count);
        for (int i = 0; i < durable.Count; i++)
            Assert.True(durable[i].AsSpan().SequenceEqual(log.Records[i]), $"entry {i + 1} differs");
        HardState seen = log.Wal.Last.Term > durableState.Term ? new HardState(log.Wal.Last.Term, 0) : durableState;
        Assert.Equal(seen, log.Recovery.HardState);
        released = 0;
    }
}
