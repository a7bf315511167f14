using System.Diagnostics;

namespace RaftFast.LoadTest.Load;

/// <summary>
/// Copies that each begin their next iteration when the previous one has ended. A closed loop shows the maximum rate of
/// a node. While the node stalls, no request is due. So the latencies say little about those of independent clients.
/// </summary>
internal sealed class ClosedLoop(Copies copies)
{
    /// <summary>
    /// Pause of a client after a failed request, so that it doesn't fail thousands of times a second.
    /// </summary>
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan RampInterval = TimeSpan.FromMilliseconds(10);

    private readonly List<Task> running = [];
    private int wanted;

    /// <summary>
    /// Runs at least one copy, and changes steadily from one number of copies to the other. Returns when all iterations
    /// have ended.
    /// </summary>
    public async Task RunAsync(int from, int to, TimeSpan during, CancellationToken cancellation)
    {
        long begun = Stopwatch.GetTimestamp();
        TimeSpan elapsed = TimeSpan.Zero;
        while (elapsed < during && !copies.Budget.IsSpent && !cancellation.IsCancellationRequested)
        {
            SetCopies(Math.Max(1, (int)Math.Round(from + ((to - from) * (elapsed / during)))));
            TimeSpan left = during - elapsed;
            TimeSpan next = left < RampInterval ? left : RampInterval;
            await Task.Delay(next, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            elapsed = Stopwatch.GetElapsedTime(begun);
        }
        Volatile.Write(ref wanted, 0);
        await Task.WhenAll(running);
        running.Clear();
    }

    private void SetCopies(int count)
    {
        Volatile.Write(ref wanted, count);
        for (int i = 0; i < count; i++)
        {
            int number = i;
            if (i == running.Count)
                running.Add(Task.Run(() => LoopAsync(number)));
            else if (running[i].IsCompleted)
                running[i] = Task.Run(() => LoopAsync(number));
        }
    }

    private async Task LoopAsync(int number)
    {
        Scenarios.Copy copy = copies[number];
        while (number < Volatile.Read(ref wanted) && copies.Budget.TryTake())
        {
            if (!await copies.IterateAsync(copy, Stopwatch.GetTimestamp()))
                await Task.Delay(PauseAfterFailure);
        }
    }
}
