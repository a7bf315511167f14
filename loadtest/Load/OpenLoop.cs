using System.Diagnostics;
using RaftFast.LoadTest.Scenarios;

namespace RaftFast.LoadTest.Load;

/// <summary>
/// Iterations at times that are fixed beforehand. One that finds all copies busy waits for one, and its latency counts from
/// when it was due: what a stall costs those who came meanwhile is measured, and not left out (coordinated omission).
/// </summary>
/// <param name="patience">How long iterations that wait are still begun after the last was due.</param>
internal sealed class OpenLoop(Copies copies, int copiesMax, TimeSpan patience)
{
    private static readonly Response NotSent = new(false, "not sent", 0);

    private readonly Lock gate = new();
    private readonly Stack<Copy> idle = [];

    /// <summary>When each iteration was due that waits for a copy. There is none while a copy is idle.</summary>
    private readonly Queue<long> overdue = [];

    private TaskCompletionSource ended = new();
    private int created;
    private int busy;
    private bool isDispatching;
    private bool isOver;

    /// <summary>Patience has ended: what waits for a copy now will not be sent.</summary>
    public bool HasGivenUp
    {
        get
        {
            lock (gate)
                return isOver;
        }
    }

    /// <summary>How many iterations are due that no copy was free for.</summary>
    public int Overdue
    {
        get
        {
            lock (gate)
                return overdue.Count;
        }
    }

    /// <summary>
    /// Returns when every iteration that was due has ended. One that no copy has begun in good time is recorded as not sent, with
    /// as long as it has waited.
    /// </summary>
    public async Task RunAsync(DueTimes dueTimes, CancellationToken cancellation)
    {
        ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        isDispatching = true;
        isOver = false;
        await Task.Factory.StartNew(
            () => Dispatch(dueTimes, cancellation), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        lock (gate)
        {
            isDispatching = false;
            if (busy == 0)
                ended.SetResult();
        }
        await ended.Task.WaitAsync(patience, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (gate)
            isOver = true;
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

    /// <summary>Sends on the dispatcher's thread, up to where the first step waits. An exception is a bug, and ends the process.</summary>
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
            if (!isOver && overdue.TryDequeue(out due))
                return true;
            idle.Push(copy);
            busy--;
            if (busy == 0 && !isDispatching)
                ended.SetResult();
            return false;
        }
    }
}
