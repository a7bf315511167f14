using System.Collections.Concurrent;
using System.Diagnostics;
using RaftFast.Server.Node;
using RaftFast.Server.Threads;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Loop;

/// <summary>
/// The thread that writes the log: one batch, one write, one sync. Entries published during a write make the next
/// batch. After a moment without work the thread seals the log, so that damage to the last acknowledged batch can't
/// pass for a torn write.
/// </summary>
internal sealed class WalWriter : InboxSignal, IDisposable
{
    /// <summary>
    /// Time without work after which the log is sealed. Long enough that a client with one write at a time doesn't pay
    /// for seals; short enough that the last batch rarely stays unsealed.
    /// </summary>
    private const int SealAfterMilliseconds = 100;

    private readonly Wal wal;
    private readonly Inbox inbox;
    private readonly SegmentPreparer segments;
    private readonly ConcurrentQueue<WalBatch> durable = new();
    private readonly Parker parker = new();
    private readonly Func<bool> isThereWork;
    private readonly Thread thread;

    private int hasWork;
    private long diskReadsSeen;

    /// <summary>Timestamp of the beginning of the write in progress; 0 if there is none.</summary>
    private long writeBegan;
    private volatile bool isStopping;

    public WalWriter(Wal wal, Inbox inbox, SegmentPreparer segments)
    {
        this.wal = wal;
        this.inbox = inbox;
        this.segments = segments;
        isThereWork = () => HasWork;
        thread = new Thread(Run) { Name = ThreadNames.Wal, IsBackground = true };
    }

    /// <summary>Time of a write of the log until it is durable, in microseconds.</summary>
    public Histogram SyncTime { get; } = Histogram.OfMicroseconds();

    /// <summary>Entries of a batch.</summary>
    public Histogram BatchEntries { get; } = Histogram.OfItems();

    /// <summary>Bytes of a batch on the disk.</summary>
    public Histogram BatchBytes { get; } = Histogram.OfBytes();

    private bool HasWork => Volatile.Read(ref hasWork) != 0;

    /// <summary>Time for which the write in progress has been out; zero if there is none. Any thread.</summary>
    public TimeSpan TimeOfWrite
    {
        get
        {
            long began = Volatile.Read(ref writeBegan);
            return began == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(began);
        }
    }

    public void Start() => thread.Start();

    /// <summary>Wakes the thread after entries have been published.</summary>
    public void Wake()
    {
        Interlocked.Exchange(ref hasWork, 1);
        parker.Unpark();
    }

    /// <summary>
    /// Takes the next durable batch; returns false when there is none. The loop calls this when it finds this writer in
    /// its inbox.
    /// </summary>
    public bool TryTakeDurable(out WalBatch batch) => durable.TryDequeue(out batch);

    /// <summary>Writes the published entries, seals the log, and ends the thread.</summary>
    public void Dispose()
    {
        isStopping = true;
        Wake();
        thread.Join();
    }

    /// <summary>
    /// Runs the thread. A failed write or sync ends the process and is never retried, because what the disk then holds
    /// is unknown.
    /// </summary>
    private void Run()
    {
        bool isLast = false;
        while (!isLast)
        {
            bool isIdle = !parker.Await(isThereWork, SealAfterMilliseconds);
            // Read before the last look at published entries: none are published after isStopping is set.
            isLast = isStopping;
            while (TryTake(out WalBatch batch))
                Write(batch);
            if ((isIdle || isLast) && wal.Writer.TryTakeSeal(out WalBatch seal))
                Write(seal);
            // Read isStopping once more: the wake-up that came with it may have been taken for one of those above.
            if (isIdle && !isLast && !isStopping)
                parker.Await(isThereWork, Timeout.Infinite);
        }
    }

    private bool TryTake(out WalBatch batch)
    {
        // Cleared before the look: entries published after this count as work.
        Interlocked.Exchange(ref hasWork, 0);
        return wal.Writer.TryTake(out batch);
    }

    private void Write(in WalBatch batch)
    {
        long began = Stopwatch.GetTimestamp();
        Volatile.Write(ref writeBegan, began);
        wal.Writer.Write(batch);
        Volatile.Write(ref writeBegan, 0);
        SyncTime.Record((long)Stopwatch.GetElapsedTime(began).TotalMicroseconds);
        if (batch.Entries > 0)
            BatchEntries.Record(batch.Entries);
        BatchBytes.Record(batch.Bytes);
        if (!wal.NextSegmentIsReady)
            segments.Wake();
        durable.Enqueue(batch);
        // Run the loop here for the entries that this batch commits, unless the disk would have to wait meanwhile. The
        // disk would wait if there is more to write, or if the loop has to read old entries for a follower.
        long reads = wal.DiskReads;
        bool isWaitedFor = HasWork || reads != diskReadsSeen;
        diskReadsSeen = reads;
        if (isWaitedFor)
            inbox.Post(this);
        else
            inbox.PostAndRun(this, batchesMax: 1);
    }
}
