using System.Collections.Concurrent;
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

    /// <summary>Time between two attempts to name a segment in a directory without room.</summary>
    private const int RetryMilliseconds = 100;

    private readonly Wal wal;
    private readonly Inbox inbox;
    private readonly SegmentPreparer segments;
    private readonly ConcurrentQueue<WalBatch> durable = new();
    private readonly Parker parker = new();
    private readonly Func<bool> isThereWork;
    private readonly Thread thread;

    private int hasWork;
    private long diskReadsSeen;

    private volatile bool isStopping;

    public WalWriter(Wal wal, Inbox inbox, SegmentPreparer segments)
    {
        this.wal = wal;
        this.inbox = inbox;
        this.segments = segments;
        isThereWork = () => HasWork;
        thread = new Thread(Run) { Name = ThreadNames.Wal, IsBackground = true };
    }

    private bool HasWork => Volatile.Read(ref hasWork) != 0;

    public DiskWork Work { get; } = new("a write of the log");

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
        Work.Begin();
        // Meanwhile the batch waits, as on a disk that does not answer: a leader takes no writes, and hands over.
        while (!wal.Writer.TryOpen(batch))
            parker.Await(static () => false, RetryMilliseconds);
        wal.Writer.Write(batch);
        Work.End();
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
