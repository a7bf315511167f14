using CsCheck;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Storage.Tests.Log;

/// <summary>
/// Histories of a log of tiny segments, with compactions, installed snapshots, and deaths in the middle of the disk's
/// operations.
/// </summary>
public sealed class WalCompactionPropertyTests
{
    private enum Step
    {
        Append,
        Truncate,
        HardState,
        Sync,
        Seal,
        Prepare,
        Compact,
        Reset,
        Die,
    }

    private static readonly Gen<(Step, int)[]> Histories =
        Gen.Select(
            Gen.Frequency(
                (20, Gen.Const(Step.Append)), (2, Gen.Const(Step.Truncate)), (2, Gen.Const(Step.HardState)),
                (12, Gen.Const(Step.Sync)), (1, Gen.Const(Step.Seal)), (3, Gen.Const(Step.Prepare)),
                (3, Gen.Const(Step.Compact)), (1, Gen.Const(Step.Reset)), (2, Gen.Const(Step.Die))),
            Gen.Int[0, 1 << 20]).Array[1, 250];

    [Fact]
    public void Recovery_yields_at_least_the_durable_entries_after_the_snapshot() =>
        Histories.Sample(history =>
        {
            using Model model = new();
            model.Run(history);
        }, iter: 400, threads: 1);

    /// <summary>The entries that the log should hold, and the entries that a crash must leave.</summary>
    private sealed class Model : IDisposable
    {
        private readonly MemoryDisk disk = new();

        /// <summary>Entries after <see cref="origin"/>, without gaps. Compaction removes none of them.</summary>
        private readonly List<byte[]> entries = [];
        private List<byte[]> durable = [];
        private LogPosition origin;
        private LogPosition durableOrigin;
        private LogPosition snapshot;
        private HardState durableState;
        private LogWriter log;
        private long term = 1;

        public Model() => log = new LogWriter(disk, LogWriter.Tiny);

        public void Run((Step Step, int Value)[] history)
        {
            foreach ((Step step, int value) in history)
            {
                try
                {
                    Do(step, value);
                }
                catch (StorageException death) when (death.Message == "died")
                {
                    Reset(value);
                }
                Assert.True(log.Base.Index >= origin.Index);
            }
            Reset(history.Length);
        }

        public void Dispose() => log.Dispose();

        private long Last => origin.Index + entries.Count;

        private void Do(Step step, int value)
        {
            switch (step)
            {
                case Step.Append:
                    Append(term, Last + 1, value);
                    break;
                case Step.Truncate when Last > Released:
                    Append(++term, Released + 1 + value % (Last - Released), value);
                    break;
                case Step.HardState:
                    log.AppendHardState(++term, (ulong)value % 3);
                    break;
                case Step.Sync:
                    log.Sync();
                    (durable, durableOrigin, durableState) = ([.. entries], origin, log.State);
                    log.Wal.Release(Released);
                    log.Verify();
                    break;
                case Step.Seal:
                    log.WriteSeal();
                    break;
                case Step.Prepare:
                    log.Wal.TryPrepareSegment();
                    Assert.Equal(disk.List().Sum(name => (long)disk[name].Length), log.Wal.BytesOnDisk);
                    break;
                case Step.Compact when entries.Count > 0:
                    // A snapshot covers committed entries, perhaps not durable on this node. Committed entries are
                    // never truncated.
                    long index = Math.Max(snapshot.Index, origin.Index + 1 + value % entries.Count);
                    if (index > origin.Index)
                        snapshot = LogWriter.PositionOf(entries[(int)(index - origin.Index - 1)]);
                    log.Wal.Release(Released);
                    log.CompactTo(snapshot.Index - value % 3);
                    log.Verify();
                    break;
                case Step.Reset:
                    LogPosition next = new(++term, Math.Max(snapshot.Index + 1, Last - 20) + value % 40);
                    if (!log.TryResetTo(next, out _))
                        break;
                    snapshot = origin = next;
                    entries.Clear();
                    log.Verify();
                    break;
                case Step.Die:
                    disk.DieAt(1 + value % 5, (DeathMoment)(value / 5 % 3));
                    break;
            }
        }

        /// <summary>Index up to which entries are never truncated, because the snapshot covers them.</summary>
        private long Released => snapshot.Index;

        private void Append(long term, long index, int value)
        {
            entries.RemoveRange((int)(index - origin.Index - 1), (int)(Last - index + 1));
            log.Append(term, index, value % 9 == 0 ? 7000 : value % 3000, value);
            entries.Add(log.Records[^1]);
        }

        private void Reset(int value)
        {
            log.Dispose();
            if (value % 4 == 0)
                disk.Revive();
            else
                disk.Crash(value / 4);
            log = new LogWriter(disk, LogWriter.Tiny, snapshot);
            log.Verify();
            VerifyTerms();
            Assert.True(log.Base.Index <= snapshot.Index);
            // A crash may leave any state of the log between the durable one and the last one.
            LogPosition seen = durable.Count == 0 ? durableOrigin : LogWriter.PositionOf(durable[^1]);
            HardState least = seen.Term > durableState.Term ? new HardState(seen.Term, 0) : durableState;
            Assert.True(HardStateOrder.MayFollow(least, log.Recovery.HardState));
            if (WasDurable(snapshot))
            {
                long last = durableOrigin.Index + durable.Count;
                Assert.True(log.Wal.Last.Index >= last || log.Wal.Last.Term > seen.Term);
                for (long index = log.Wal.FirstIndex; index <= Math.Min(last, log.Wal.Last.Index); index++)
                {
                    byte[] there = log.Records[(int)(index - log.Wal.FirstIndex)];
                    bool isSame = index > durableOrigin.Index
                        && there.AsSpan().SequenceEqual(durable[(int)(index - durableOrigin.Index - 1)]);
                    // An entry that replaced the durable entry was appended later, in a later term.
                    Assert.True(isSame || (index > snapshot.Index && LogWriter.PositionOf(there).Term > seen.Term));
                    if (!isSame)
                        break;
                }
            }
            Adopt();
        }

        private bool WasDurable(LogPosition position)
        {
            if (position.Index <= durableOrigin.Index || position.Index > durableOrigin.Index + durable.Count)
                return position == durableOrigin;
            return LogWriter.PositionOf(durable[(int)(position.Index - durableOrigin.Index - 1)]) == position;
        }

        private void VerifyTerms()
        {
            List<LogPosition> runs = [];
            foreach (byte[] record in log.Records)
            {
                LogPosition position = LogWriter.PositionOf(record);
                if (runs.Count == 0 || runs[^1].Term != position.Term)
                    runs.Add(position);
            }
            Assert.Equal(runs, log.Recovery.TermRuns);
        }

        /// <summary>Continues with the recovered log.</summary>
        private void Adopt()
        {
            entries.Clear();
            entries.AddRange(log.Records);
            origin = durableOrigin = log.Base;
            durable = [.. entries];
            durableState = log.Recovery.HardState;
            term = Math.Max(Math.Max(log.State.Term, log.Wal.Last.Term), term) + 1;
        }
    }
}
