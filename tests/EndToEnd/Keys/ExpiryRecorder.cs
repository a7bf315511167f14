using RaftFast.Linearizability;

namespace RaftFast.EndToEnd.Tests.Keys;

/// <summary>
/// Notes in a history that a value may expire from now on. No value expires before its time to live has passed since
/// its PUT was sent; the note is made when half of that time has passed.
/// </summary>
internal sealed class ExpiryRecorder : IDisposable
{
    private readonly History history;
    private readonly PriorityQueue<Operation, long> due = new();
    private readonly Lock gate = new();
    private readonly Thread thread;
    private volatile bool isStopping;

    public ExpiryRecorder(History history)
    {
        this.history = history;
        thread = new Thread(Run) { IsBackground = true, Priority = ThreadPriority.AboveNormal };
        thread.Start();
    }

    /// <summary>A PUT of this value is about to be sent.</summary>
    public void Add(int client, int key, int value, TimeSpan timeToLive)
    {
        lock (gate)
            due.Enqueue(
                Operation.Expire(client, key, value), Environment.TickCount64 + (long)timeToLive.TotalMilliseconds / 2);
    }

    public void Dispose()
    {
        isStopping = true;
        thread.Join();
    }

    private void Run()
    {
        while (!isStopping)
        {
            lock (gate)
            {
                while (due.TryPeek(out Operation expiry, out long at) && at <= Environment.TickCount64)
                {
                    history.Invoke(expiry);
                    due.Dequeue();
                }
            }
            Thread.Sleep(10);
        }
    }
}
