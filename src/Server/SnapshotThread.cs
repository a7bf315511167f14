using System.Diagnostics;
using RaftFast.Storage;

namespace RaftFast.Server;

/// <summary>The thread that writes snapshots, at a bounded rate, and posts each to the inbox when it is over.</summary>
internal sealed class SnapshotThread : IDisposable
{
    private readonly Inbox inbox;
    private readonly long bytesPerSecond;
    private readonly SemaphoreSlim wanted = new(0);
    private readonly Thread thread;

    private volatile SnapshotTask? next;
    private volatile bool isStopping;

    public SnapshotThread(Inbox inbox, long bytesPerSecond)
    {
        this.inbox = inbox;
        this.bytesPerSecond = bytesPerSecond;
        thread = new Thread(Work) { Name = "raftfast-snapshot", IsBackground = true };
    }

    public void Start() => thread.Start();

    /// <summary>Loop thread. One at a time.</summary>
    public void Run(SnapshotTask task)
    {
        next = task;
        wanted.Release();
    }

    public void Dispose()
    {
        isStopping = true;
        next?.Cancel();
        wanted.Release();
        thread.Join();
        wanted.Dispose();
    }

    private void Work()
    {
        while (true)
        {
            wanted.Wait();
            if (isStopping)
                return;
            SnapshotTask task = next!;
            long start = Stopwatch.GetTimestamp();
            while (task.Step())
                Pace(task.Bytes, start);
            next = null;
            inbox.Post(task);
        }
    }

    /// <summary>Sleeps as long as the bytes so far are ahead of the rate.</summary>
    private void Pace(long bytes, long start)
    {
        double ahead = (double)bytes / bytesPerSecond - Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (ahead > 0 && !isStopping)
            Thread.Sleep(TimeSpan.FromSeconds(Math.Min(ahead, 1)));
    }
}
