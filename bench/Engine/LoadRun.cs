using HdrHistogram;

namespace RaftFast.Engine;

/// <summary>
/// A stretch of closed-loop load: how many writes may begin, and what became of them. Allocates nothing once made. Writes complete on
/// one thread at a time, each of which sees what the one before it did.
/// </summary>
internal sealed class LoadRun
{
    private const long LatencyNanosecondsMax = 120_000_000_000;

    private readonly object gate = new();
    private long left;
    private long committed;
    private int outstanding;
    private bool isDrained;
    private volatile bool isStopping;

    /// <param name="limit">Commits in all.</param>
    public LoadRun(int slots, long limit)
    {
        Initial = (int)Math.Min(slots, limit);
        outstanding = Initial;
        left = limit - Initial;
    }

    /// <summary>Writes to begin with.</summary>
    public int Initial { get; }

    /// <summary>Nanoseconds, which the stopwatch counts. To be read once drained.</summary>
    public LongHistogram Latencies { get; } = new(LatencyNanosecondsMax, numberOfSignificantValueDigits: 2);

    /// <summary>Any thread.</summary>
    public long Committed => Volatile.Read(ref committed);

    /// <summary>Writes that were not done, or whose outcome is unknown. Each was followed by another attempt.</summary>
    public long Failed { get; private set; }

    /// <summary>A write has been answered.</summary>
    /// <returns>Whether another is to follow.</returns>
    public bool Complete(bool isCommitted, long nanoseconds)
    {
        if (isCommitted)
        {
            Volatile.Write(ref committed, committed + 1);
            Latencies.RecordValue(Math.Min(nanoseconds, LatencyNanosecondsMax));
        }
        else
        {
            Failed++;
        }
        if (!isStopping && (left > 0 || !isCommitted))
        {
            left -= isCommitted ? 1 : 0;
            return true;
        }
        if (--outstanding == 0)
            EndDraining();
        return false;
    }

    /// <summary>No more is begun.</summary>
    public void Stop() => isStopping = true;

    /// <exception cref="TimeoutException">Writes were not answered.</exception>
    public void WaitUntilDrained(TimeSpan timeout)
    {
        lock (gate)
        {
            if (isDrained || Monitor.Wait(gate, timeout))
                return;
        }
        throw new TimeoutException($"after {timeout.TotalSeconds:F0} s, {Committed} writes are committed and others are not answered");
    }

    private void EndDraining()
    {
        lock (gate)
        {
            isDrained = true;
            Monitor.Pulse(gate);
        }
    }
}
