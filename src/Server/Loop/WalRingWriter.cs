using RaftFast.Server.Sockets.Epoll;
using RaftFast.Server.Threads;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Loop;

/// <summary>
/// Writes the log through a ring, on a socket thread: the thread that runs the loop submits a batch and continues, and
/// finds the completion among the sockets that are ready. No other thread is woken.
/// <para>
/// A thread of the writer's own does what would block the socket thread: it writes the first batch of a segment, whose
/// file must be made, and the seals. That thread also writes a batch that the ring does not take. Both threads use the
/// writing half of the log. So one thread at a time has the writer's turn, from taking a batch until the batch is
/// durable. A thread that gives the turn back looks for work once more, so no wake-up is lost.
/// </para>
/// </summary>
internal sealed class WalRingWriter : WalWriter
{
    private const int Free = 0;
    private const int OfRing = 1;
    private const int OfThread = 2;

    private readonly DiskRing ring;
    private readonly EpollThread sockets;
    private readonly Parker parker = new();
    private readonly Func<bool> isCalled;
    private readonly Func<bool> isCalledOrUnsealed;
    private readonly Func<bool> ringIsDone;
    private readonly Thread thread;

    private int turn;

    /// <summary>Batch taken last. Used by the thread that has the turn.</summary>
    private WalBatch batch;

    /// <summary>
    /// True if the log is to be sealed after a moment without work. Changed by the thread that has the turn.
    /// </summary>
    private volatile bool isUnsealed;
    private volatile bool isStopping;

    /// <summary>True once the socket thread owns the ring. Socket thread only.</summary>
    private bool isOwned;

    /// <param name="sockets">Thread that owns the ring once this writer has started.</param>
    public WalRingWriter(Wal wal, Inbox inbox, SegmentPreparer segments, DiskRing ring, EpollThread sockets)
        : base(wal, inbox, segments)
    {
        this.ring = ring;
        this.sockets = sockets;
        isCalled = () => Volatile.Read(ref turn) == OfThread || isStopping;
        isCalledOrUnsealed = () => isUnsealed || isCalled();
        ringIsDone = () => Volatile.Read(ref turn) != OfRing;
        thread = new Thread(Run) { Name = ThreadNames.Wal, IsBackground = true };
    }

    public override void Start()
    {
        thread.Start();
        sockets.Watch(ring.Descriptor, OnSignal);
        ring.Signal();
    }

    public override void Wake()
    {
        NoteWork();
        if (sockets.IsCurrent)
            TakeTurns();
        else if (Volatile.Read(ref turn) == Free)
            ring.Signal();
    }

    public override void Dispose()
    {
        isStopping = true;
        Interlocked.MemoryBarrier();
        parker.Unpark();
        thread.Join();
        ring.Dispose();
    }

    /// <summary>Runs on the socket thread: a write may have ended, or another thread has published entries.</summary>
    private void OnSignal()
    {
        bool isDurable = ring.IsWriting && Wal.Writer.TryEnd(batch, ring);
        if (isDurable)
        {
            Ended(batch);
            GiveTurnBack();
        }
        // The next write begins before the loop runs.
        TakeTurns();
        if (isDurable)
            Inbox.PostAndRun(this, Inbox.SocketThreadBatchesMax);
    }

    /// <summary>Begins to write the published entries, unless a write is out. Socket thread.</summary>
    private void TakeTurns()
    {
        if (!isOwned)
            ring.Own();
        isOwned = true;
        while (HasWork && Interlocked.CompareExchange(ref turn, OfRing, Free) == Free)
        {
            if (!TryTake(out WalBatch next))
            {
                GiveTurnBack();
                continue;
            }
            batch = next;
            // Several batches may have been published at once: the end of this write looks for the next one.
            NoteWork();
            Begin();
            return;
        }
    }

    private void Begin()
    {
        Began();
        bool wasSealed = !isUnsealed;
        isUnsealed = true;
        bool isOut = Wal.Writer.TryBegin(batch, ring);
        if (!isOut)
            Interlocked.Exchange(ref turn, OfThread);
        if (isOut && !wasSealed)
            return;
        Interlocked.MemoryBarrier();
        parker.Unpark();
    }

    private void GiveTurnBack()
    {
        Interlocked.Exchange(ref turn, Free);
        if (isStopping)
            parker.Unpark();
    }

    /// <summary>Runs the thread of this writer.</summary>
    private void Run()
    {
        long last = 0;
        while (!isStopping)
        {
            bool isIdle = isUnsealed
                ? !parker.Await(isCalled, SealAfterMilliseconds)
                : !parker.Await(isCalledOrUnsealed, Timeout.Infinite);
            if (Volatile.Read(ref turn) == OfThread)
                WriteTaken();
            else if (isIdle && Interlocked.CompareExchange(ref turn, OfThread, Free) == Free)
                last = SealUnlessBatchFollows(last);
        }
        WriteRest();
    }

    /// <summary>Seals the log if no batch was written since the previous call.</summary>
    /// <returns>Number of the last batch.</returns>
    private long SealUnlessBatchFollows(long seen)
    {
        long last = batch.Number;
        if (last != seen)
        {
            ReturnTurn();
            return last;
        }
        // If the loop has appended more, a batch follows, and asks for a seal again.
        isUnsealed = false;
        if (Wal.Writer.TryTakeSeal(out batch))
            WriteTaken();
        else
            ReturnTurn();
        return last;
    }

    private void WriteTaken()
    {
        Write(batch);
        ReturnTurn();
        Inbox.PostAndRun(this, batchesMax: 1);
    }

    private void ReturnTurn()
    {
        Interlocked.Exchange(ref turn, Free);
        if (HasWork)
            ring.Signal();
    }

    /// <summary>
    /// Takes the turn and keeps it, and writes what is left. Entries are no longer published, but the socket thread may
    /// have handed over a batch, or begun a write.
    /// </summary>
    private void WriteRest()
    {
        int holder;
        do
        {
            parker.Await(ringIsDone, Timeout.Infinite);
            holder = Interlocked.CompareExchange(ref turn, OfThread, Free);
        }
        while (holder == OfRing);
        if (holder == OfThread)
            Write(batch);
        while (TryTake(out batch))
            Write(batch);
        if (Wal.Writer.TryTakeSeal(out batch))
            Write(batch);
        Inbox.Post(this);
    }
}
