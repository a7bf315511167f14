using System.Collections.Concurrent;
using RaftFast.Server.Node;
using RaftFast.Server.Threads;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Loop;

/// <summary>
/// Writes the log: one batch, one write, one sync. Entries published during a write make the next batch. After a moment
/// without work the log is sealed, so that damage to the last acknowledged batch can't pass for a torn write.
/// </summary>
internal abstract class WalWriter(Wal wal, Inbox inbox, SegmentPreparer segments) : InboxSignal, IDisposable
{
    /// <summary>
    /// Time without work after which the log is sealed. Long enough that a client with one write at a time doesn't pay
    /// for seals; short enough that the last batch rarely stays unsealed.
    /// </summary>
    protected const int SealAfterMilliseconds = 100;

    /// <summary>Time between two attempts to name a segment in a directory without room.</summary>
    private const int RetryMilliseconds = 100;

    private readonly Parker retry = new();
    private readonly ConcurrentQueue<WalBatch> durable = new();
    private int hasWork;


    /// <summary>Time of a write of the log until it is durable, in microseconds.</summary>
    public Histogram SyncTime { get; } = Histogram.OfMicroseconds();

    /// <summary>Entries of a batch.</summary>
    public Histogram BatchEntries { get; } = Histogram.OfItems();

    /// <summary>Bytes of a batch on the disk.</summary>
    public Histogram BatchBytes { get; } = Histogram.OfBytes();

    public DiskWork Work { get; } = new("a write of the log");

    protected Wal Wal => wal;

    protected Inbox Inbox => inbox;

    protected bool HasWork => Volatile.Read(ref hasWork) != 0;

    /// <summary>Begins to write. Entries published before are written too.</summary>
    public abstract void Start();

    /// <summary>Takes note of published entries. The loop calls this.</summary>
    public abstract void Wake();

    /// <summary>Writes the published entries, seals the log, and ends. The loop has ended.</summary>
    public abstract void Dispose();

    /// <summary>
    /// Takes the next durable batch; returns false when there is none. The loop calls this when it finds this writer in
    /// its inbox.
    /// </summary>
    public bool TryTakeDurable(out WalBatch batch) => durable.TryDequeue(out batch);

    /// <summary>Takes note of published entries. A full fence.</summary>
    protected void NoteWork() => Interlocked.Exchange(ref hasWork, 1);

    protected bool TryTake(out WalBatch batch)
    {
        // Clear the flag before taking a batch: entries published after this count as work.
        Interlocked.Exchange(ref hasWork, 0);
        return wal.Writer.TryTake(out batch);
    }

    /// <summary>
    /// Writes the batch taken last on this thread. A failed write or sync ends the process and is never retried,
    /// because what the disk then holds is unknown.
    /// </summary>
    protected void Write(in WalBatch batch)
    {
        Began();
        // Meanwhile the batch waits, as on a disk that does not answer: a leader takes no writes, and hands over.
        while (!wal.Writer.TryOpen(batch))
            retry.Await(static () => false, RetryMilliseconds);
        wal.Writer.Write(batch);
        Ended(batch);
    }

    protected void Began() => Work.Begin();

    /// <summary>The batch is durable. The caller posts this writer to the inbox afterwards.</summary>
    protected void Ended(in WalBatch batch)
    {
        SyncTime.Record((long)Work.Time.TotalMicroseconds);
        Work.End();
        if (batch.Entries > 0)
            BatchEntries.Record(batch.Entries);
        BatchBytes.Record(batch.Bytes);
        if (!wal.NextSegmentIsReady)
            segments.Wake();
        durable.Enqueue(batch);
    }
}

/// <summary>Way of a batch to the disk, as the operator chooses it.</summary>
internal enum LogIo
{
    /// <summary><see cref="Uring"/> if the transport is epoll and a write at the start succeeds.</summary>
    Auto,

    /// <summary>A thread waits for each write.</summary>
    Thread,

    /// <summary>A socket thread submits to io_uring(7), and finds the completion among its ready sockets.</summary>
    Uring,
}
