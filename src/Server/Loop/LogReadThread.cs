using System.Collections.Concurrent;
using RaftFast.Server.Node;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Loop;

/// <summary>
/// The thread that reads entries of the log for followers that are far behind, and posts each read to the inbox. A read
/// that does not return holds up the reads after it.
/// </summary>
internal sealed class LogReadThread : IDisposable
{
    private readonly Inbox inbox;
    private readonly ConcurrentQueue<FollowerRead> reads = new();
    private readonly Parker parker = new();
    private readonly Func<bool> isThereWork;
    private readonly Thread thread;

    private volatile bool isStopping;

    public LogReadThread(Inbox inbox)
    {
        this.inbox = inbox;
        isThereWork = () => isStopping || !reads.IsEmpty;
        thread = new Thread(Work) { Name = ThreadNames.Reader, IsBackground = true };
    }

    public DiskWork Reading { get; } = new("a read of the log");

    public void Start() => thread.Start();

    /// <summary>Called by the loop.</summary>
    public void Run(FollowerRead read)
    {
        reads.Enqueue(read);
        Interlocked.MemoryBarrier();
        parker.Unpark();
    }

    public void Dispose()
    {
        isStopping = true;
        Interlocked.MemoryBarrier();
        parker.Unpark();
        thread.Join();
    }

    private void Work()
    {
        while (true)
        {
            parker.Await(isThereWork, Timeout.Infinite);
            if (isStopping)
                return;
            if (!reads.TryDequeue(out FollowerRead? read))
                continue;
            while (TryStep(read))
            {
            }
            inbox.Post(read);
        }
    }

    private bool TryStep(FollowerRead read)
    {
        Reading.Begin();
        bool isUnderWay = read.Step();
        Reading.End();
        return isUnderWay;
    }
}
