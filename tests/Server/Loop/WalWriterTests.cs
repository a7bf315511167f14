using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Protocol;
using RaftFast.Server.Loop;
using RaftFast.Server.Sockets.Epoll;
using RaftFast.Server.Threads;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using Record = RaftFast.Protocol.Record;

namespace RaftFast.Server.Tests.Loop;

/// <summary>Both writers of the log, with their threads and a real disk.</summary>
public sealed class WalWriterTests : IDisposable
{
    private const int Posters = 3;

    private static readonly WalOptions Options = new() { SegmentBytes = 8 << 20 };

    private readonly TemporaryDirectory directory = new();
    private readonly FileDisk disk;

    public WalWriterTests() => disk = new FileDisk(directory.Location, DiskWriteMode.Direct);

    /// <summary>
    /// The loop runs on three threads that post, on the writer's thread and on the socket thread, each of which
    /// publishes.
    /// </summary>
    [Theory]
    [InlineData("Thread")]
    [InlineData("Uring")]
    public void Every_batch_becomes_durable_in_order_and_an_idle_log_is_sealed(string io)
    {
        long last;
        using (Bench bench = new(disk, io))
        {
            Thread[] posters = new Thread[Posters];
            for (int i = 0; i < Posters; i++)
            {
                posters[i] = new Thread(() =>
                {
                    while (bench.Last < bench.EntriesMax)
                    {
                        bench.Post();
                        Thread.Yield();
                    }
                });
                posters[i].Start();
            }
            foreach (Thread poster in posters)
                poster.Join();
            last = bench.Last;
            Eventually.True(
                () =>
                {
                    // This thread is the loop's own, which takes what other threads leave.
                    bench.Post();
                    return bench.Durable == last && bench.IsSealed;
                },
                () => $"{bench.Durable} of {last} entries are durable, sealed: {bench.IsSealed}");
        }
        AssertHolds(last);
    }

    /// <summary>A batch takes 2 MiB at most, so five records of 900 KiB published together are three batches.</summary>
    [Theory]
    [InlineData("Thread")]
    [InlineData("Uring")]
    public void Batches_that_were_published_together_are_all_written(string io)
    {
        using Bench bench = new(disk, io, valueBytes: 900 << 10, entriesAtOnce: 5);
        bench.Post();
        long last = bench.Last;
        Assert.Equal(5, last);
        bench.AppendsNoMore();
        Eventually.True(
            () =>
            {
                bench.Post();
                return bench.Durable == last;
            },
            () => $"{bench.Durable} of {last} entries are durable");
    }

    /// <summary>A seal gives memory back that the next batches would need again.</summary>
    [Theory]
    [InlineData("Thread")]
    [InlineData("Uring")]
    public void Log_that_is_written_again_and_again_is_not_sealed(string io)
    {
        using Bench bench = new(disk, io);
        int stalls = 0;
        long before = Stopwatch.GetTimestamp();
        for (bench.EntriesMax = 1; bench.EntriesMax <= 100; bench.EntriesMax++)
        {
            bench.Post();
            Thread.Sleep(10);
            long now = Stopwatch.GetTimestamp();
            if (Stopwatch.GetElapsedTime(before, now).TotalMilliseconds > 40)
                stalls++;
            before = now;
        }
        // A log that nothing was written to for 100 ms is sealed, so a seal is right after a stall of the machine.
        Assert.InRange(bench.Seals, 0, stalls);
    }

    [Theory]
    [InlineData("Thread")]
    [InlineData("Uring")]
    public void What_is_published_is_written_before_the_end(string io)
    {
        long last;
        using (Bench bench = new(disk, io))
        {
            for (int i = 0; i < 50; i++)
                bench.Post();
            last = bench.Last;
        }
        AssertHolds(last);
    }

    public void Dispose() => directory.Dispose();

    private void AssertHolds(long last)
    {
        using Wal wal = Wal.Open(disk, 1, 1, Options, out WalRecovery recovery);
        Assert.Equal(last, recovery.Last.Index);
        Assert.Null(recovery.TornTail);
    }

    /// <summary>A log, its writer, and a loop that appends an entry in each batch.</summary>
    private sealed class Bench : IDisposable
    {
        private readonly byte[] record;
        private readonly int entriesAtOnce;
        private readonly object?[] items = new object?[64];
        private readonly Wal wal;
        private readonly Inbox inbox = new(64);
        private readonly EpollThreads? threads;
        private readonly SegmentPreparer segments;
        private readonly WalWriter writer;
        private long last;
        private long durable;
        private volatile bool isSealed;
        private volatile int seals;
        private volatile int entriesMax = 1_500;
        private volatile bool isStopping;

        public Bench(IDisk disk, string io, int valueBytes = 9_000, int entriesAtOnce = 1)
        {
            this.entriesAtOnce = entriesAtOnce;
            record = new byte[Record.LengthOf(PutCommand.PayloadLength(4, valueBytes))];
            PutCommand.WriteKey(record.AsSpan(Record.HeaderSize), "/key"u8);
            Record.Finish(record, RecordType.Command, record.Length - Record.HeaderSize);
            DiskRing? ring = null;
            if (Enum.Parse<LogIo>(io) == LogIo.Uring)
            {
                ring = WalWriters.TryOpenRing(LogIo.Auto, disk, EpollTransport.IsSupported, NullLogger.Instance);
                Assert.SkipWhen(ring is null, "needs io_uring");
                threads = new EpollThreads(1, inbox);
            }
            wal = Wal.Open(disk, 1, 1, Options, out _);
            segments = new SegmentPreparer(wal, inbox, NullLogger.Instance);
            writer = WalWriters.Create(wal, inbox, segments, ring, threads?.First);
            segments.Start();
            writer.Start();
            inbox.Open(Run);
        }

        public long Last => Volatile.Read(ref last);

        public long Durable => Volatile.Read(ref durable);

        public bool IsSealed => isSealed;

        public int Seals => seals;

        /// <summary>The loop appends no further entry.</summary>
        public int EntriesMax
        {
            get => entriesMax;
            set => entriesMax = value;
        }

        /// <summary>Lets the loop append, on this thread if no other thread has the turn.</summary>
        public void Post() => inbox.Run(1);

        public void AppendsNoMore() => isStopping = true;

        public void Dispose()
        {
            isStopping = true;
            SpinWait.SpinUntil(inbox.TryTakeTurn);
            writer.Dispose();
            segments.Dispose();
            threads?.Dispose();
            wal.Dispose();
        }

        private void Run(int batchesMax)
        {
            int count = inbox.Drain(items);
            for (int i = 0; i < count; i++)
            {
                if (items[i] is SegmentPrepared)
                    continue;
                Assert.Same(writer, items[i]);
                while (writer.TryTakeDurable(out WalBatch batch))
                {
                    wal.Completed(batch);
                    wal.Release(batch.Last.Index);
                    Volatile.Write(ref durable, batch.Last.Index);
                    isSealed = batch.Entries == 0;
                    if (isSealed)
                        seals++;
                }
            }
            // HasRoom bounds what waits for the disk, as for a client.
            if (!isStopping && last < entriesMax && wal.HasRoom(entriesAtOnce * record.Length))
            {
                for (int i = 0; i < entriesAtOnce; i++)
                {
                    Volatile.Write(ref last, last + 1);
                    Record.Stamp(record, new LogPosition(1, last));
                    Record.TryReadHeader(record, out RecordHeader header);
                    wal.Append(record, header);
                }
                wal.TryPublish(out _);
                writer.Wake();
            }
            inbox.GiveTurnBack(isDone: true);
        }
    }
}
