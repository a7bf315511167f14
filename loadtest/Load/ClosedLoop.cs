using System.Diagnostics;

namespace RaftFast.LoadTest.Load;

/// <summary>
/// Copies that each begin their next iteration when the last has ended. It shows what a server can take. While the server
/// stalls, nobody asks, so the latencies of a closed loop say little about what an independent client would have met.
/// </summary>
internal sealed class ClosedLoop(Copies copies)
{
    /// <summary>What a client does whose request has failed, rather than fail thousands of times a second.</summary>
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan RampInterval = TimeSpan.FromMilliseconds(10);

    private readonly List<Task> running = [];
    private int wanted;

    /// <summary>
    /// Changes steadily from one number of copies to the other, at least one; returns when all have ended what they had begun.
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
