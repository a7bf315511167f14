using System.Collections.Concurrent;
using RaftFast.Linearizability;

namespace RaftFast.EndToEnd.Tests.Keys;

/// <summary>
/// Notes in a history that a value may expire from now on. No value expires before its time to live has passed since
/// its PUT was sent; the note is made when half of that time has passed.
/// </summary>
internal sealed class ExpiryRecorder : IDisposable
{
    private readonly History history;
    private readonly long delay;
    private readonly BlockingCollection<(Operation Expiry, long DueAt)> due = [];
    private readonly ManualResetEventSlim isStopping = new();
    private readonly Thread thread;

    /// <param name="timeToLive">Time to live of every value.</param>
    public ExpiryRecorder(History history, TimeSpan timeToLive)
    {
        this.history = history;
        delay = (long)timeToLive.TotalMilliseconds / 2;
        thread = new Thread(Run) { IsBackground = true, Priority = ThreadPriority.AboveNormal };
        thread.Start();
    }

    /// <summary>A PUT of this value is about to be sent.</summary>
    public void Add(int client, int key, int value) =>
        due.Add((Operation.Expire(client, key, value), Environment.TickCount64 + delay));

    public void Dispose()
    {
        isStopping.Set();
        due.CompleteAdding();
        thread.Join();
        due.Dispose();
        isStopping.Dispose();
    }

    private void Run()
    {
        // All values have one time to live, so they become due in order.
        foreach ((Operation expiry, long dueAt) in due.GetConsumingEnumerable())
        {
            if (isStopping.Wait((int)Math.Max(0, dueAt - Environment.TickCount64)))
                return;
            history.Invoke(expiry);
        }
    }
}
