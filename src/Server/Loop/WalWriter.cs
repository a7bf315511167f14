using System.Collections.Concurrent;
using RaftFast.Server.Threads;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Loop;

/// <summary>
/// The thread that writes the log: one batch, one write, one sync; what is published meanwhile makes the next batch. After
/// a moment without work it seals the log, so that damage to what was acknowledged last can't pass for a torn write.
/// </summary>
internal sealed class WalWriter : InboxSignal, IDisposable
{
    /// <summary>Long enough that a client who writes one by one doesn't pay for seals, short enough to matter.</summary>
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
    private volatile bool isStopping;

    public WalWriter(Wal wal, Inbox inbox, SegmentPreparer segments)
    {
        this.wal = wal;
        this.inbox = inbox;
        this.segments = segments;
        isThereWork = () => HasWork;
        thread = new Thread(Run) { Name = "raftfast-wal", IsBackground = true };
    }

    private bool HasWork => Volatile.Read(ref hasWork) != 0;

    public void Start() => thread.Start();

    /// <summary>Something has been published.</summary>
    public void Wake()
    {
        Interlocked.Exchange(ref hasWork, 1);
        parker.Unpark();
    }

    /// <summary>For the loop, which finds this writer in its inbox when batches have become durable: the next of them.</summary>
    public bool TryTakeDurable(out WalBatch batch) => durable.TryDequeue(out batch);

    /// <summary>Writes what is published, seals the log, and ends.</summary>
    public void Dispose()
    {
        isStopping = true;
        Wake();
        thread.Join();
    }

    /// <summary>A failed write or sync ends the process: it is never retried, because what the disk then holds is unknown.</summary>
    private void Run()
    {
        bool isLast = false;
        while (!isLast)
        {
            bool isIdle = !parker.Await(isThereWork, SealAfterMilliseconds);
            // Read before the last look at what is published: nothing is published after it was set.
            isLast = isStopping;
            while (TryTake(out WalBatch batch))
                Write(batch);
            if ((isIdle || isLast) && wal.Writer.TryTakeSeal(out WalBatch seal))
                Write(seal);
            // Set since, it would be missed here: the wake-up that came with it may have been taken for one of those above.
            if (isIdle && !isLast && !isStopping)
                parker.Await(isThereWork, Timeout.Infinite);
        }
    }

    private bool TryTake(out WalBatch batch)
    {
        // Before the look: what is published after it counts as work.
        Interlocked.Exchange(ref hasWork, 0);
        return wal.Writer.TryTake(out batch);
    }

    private void Write(in WalBatch batch)
    {
        wal.Writer.Write(batch);
        if (!wal.NextSegmentIsReady)
            segments.Wake();
        durable.Enqueue(batch);
        // What this batch commits is done here and now, unless the disk would have to wait for that: there is more to write, or the
        // loop has to read old entries for a follower.
        long reads = wal.DiskReads;
        bool isWaitedFor = HasWork || reads != diskReadsSeen;
        diskReadsSeen = reads;
        if (isWaitedFor)
            inbox.Post(this);
        else
            inbox.PostAndRun(this, batchesMax: 1);
    }
}
