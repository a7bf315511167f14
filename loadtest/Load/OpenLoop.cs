using System.Diagnostics;
using RaftFast.LoadTest.Scenarios;

namespace RaftFast.LoadTest.Load;

/// <summary>
/// Iterations that are due at fixed times. If all copies are busy, an iteration waits for a copy, and its latency
/// counts from its due time. So the latencies include the cost of a stall for all requests that were due during it (no
/// coordinated omission).
/// </summary>
/// <param name="patience">Time after the last due time in which waiting iterations are still begun.</param>
internal sealed class OpenLoop(Copies copies, int copiesMax, TimeSpan patience)
{
    private static readonly Response NotSent = new(false, "not sent", 0);

    private readonly Lock gate = new();
    private readonly Stack<Copy> idle = [];

    /// <summary>Due times of the iterations that wait for a copy. Empty while a copy is idle.</summary>
    private readonly Queue<long> overdue = [];

    private TaskCompletionSource ended = new();
    private int created;
    private int busy;
    private bool isDispatching;
    private bool hasGivenUp;

    /// <summary>True after patience has ended: iterations that still wait for a copy are not sent.</summary>
    public bool HasGivenUp
    {
        get
        {
            lock (gate)
                return hasGivenUp;
        }
    }

    /// <summary>Number of iterations that are due and wait for a copy.</summary>
    public int Overdue
    {
        get
        {
            lock (gate)
                return overdue.Count;
        }
    }

    /// <summary>
    /// Runs the iterations and returns when all have ended. An iteration for which no copy was free in time is recorded
    /// as not sent, with its waiting time as its latency.
    /// </summary>
    public async Task RunAsync(DueTimes dueTimes, CancellationToken cancellation)
    {
        ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        isDispatching = true;
        hasGivenUp = false;
        await Task.Factory.StartNew(
            () => Dispatch(dueTimes, cancellation),
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        lock (gate)
        {
            isDispatching = false;
            if (busy == 0)
                ended.SetResult();
        }
        await ended.Task.WaitAsync(patience, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (gate)
            hasGivenUp = true;
        await ended.Task;
        long now = Stopwatch.GetTimestamp();
        foreach (long due in overdue)
            copies.Measurements.Record("iteration", NotSent, due, now);
        overdue.Clear();
    }

    private void Dispatch(DueTimes dueTimes, CancellationToken cancellation)
    {
        long begun = Stopwatch.GetTimestamp();
        for (long i = 0; i < dueTimes.Count && !cancellation.IsCancellationRequested && copies.Budget.TryTake(); i++)
        {
            long due = begun + (long)(dueTimes.At(i).TotalSeconds * Stopwatch.Frequency);
            PreciseSleep.Until(due);
            copies.Measurements.Dispatched(due);
            Issue(due);
        }
    }

    private void Issue(long due)
    {
        Copy? copy;
        lock (gate)
        {
            if (!idle.TryPop(out copy))
            {
                if (created == copiesMax)
                {
                    overdue.Enqueue(due);
                    return;
                }
                copy = copies[created++];
            }
            busy++;
        }
        Serve(copy, due);
    }

    /// <summary>
    /// Runs iterations on a copy while some are overdue. The first step runs on the dispatcher's thread until it waits.
    /// An exception is a bug and ends the process.
    /// </summary>
    private async void Serve(Copy copy, long due)
    {
        do
            await copies.IterateAsync(copy, due);
        while (TryNext(copy, out due));
    }

    private bool TryNext(Copy copy, out long due)
    {
        lock (gate)
        {
            due = 0;
            if (!hasGivenUp && overdue.TryDequeue(out due))
                return true;
            idle.Push(copy);
            busy--;
            if (busy == 0 && !isDispatching)
                ended.SetResult();
            return false;
        }
    }
}
