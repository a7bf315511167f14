using RaftFast.Server.Threads;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Loop;

/// <summary>Writes the log on a thread of its own, which waits for each write.</summary>
internal sealed class WalThreadWriter : WalWriter
{
    private readonly Parker parker = new();
    private readonly Func<bool> isThereWork;
    private readonly Thread thread;

    private long diskReadsSeen;
    private volatile bool isStopping;

    public WalThreadWriter(Wal wal, Inbox inbox, SegmentPreparer segments) : base(wal, inbox, segments)
    {
        isThereWork = () => HasWork;
        thread = new Thread(Run) { Name = ThreadNames.Wal, IsBackground = true };
    }

    public override void Start() => thread.Start();

    public override void Wake()
    {
        NoteWork();
        parker.Unpark();
    }

    public override void Dispose()
    {
        isStopping = true;
        Wake();
        thread.Join();
    }

    private void Run()
    {
        bool isLast = false;
        while (!isLast)
        {
            bool isIdle = !parker.Await(isThereWork, SealAfterMilliseconds);
            // Read isStopping before the last TryTake: no entries are published after isStopping is set.
            isLast = isStopping;
            while (TryTake(out WalBatch batch))
                WriteAndPost(batch);
            if ((isIdle || isLast) && Wal.Writer.TryTakeSeal(out WalBatch seal))
                WriteAndPost(seal);
            // Read isStopping once more: its wake-up may have been taken for the wake-up of published entries.
            if (isIdle && !isLast && !isStopping)
                parker.Await(isThereWork, Timeout.Infinite);
        }
    }

    private void WriteAndPost(in WalBatch batch)
    {
        Write(batch);
        // Run the loop here for the entries that this batch commits, unless the disk would have to wait meanwhile. The
        // disk would wait if there is more to write, or if the loop has to read old entries for a follower.
        long reads = Wal.DiskReads;
        bool isWaitedFor = HasWork || reads != diskReadsSeen;
        diskReadsSeen = reads;
        if (isWaitedFor)
            Inbox.Post(this);
        else
            Inbox.PostAndRun(this, batchesMax: 1);
    }
}
