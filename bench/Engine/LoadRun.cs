using HdrHistogram;

namespace RaftFast.Engine;

/// <summary>
/// A run of closed-loop load: counts the writes that may begin and the results of completed writes. A run allocates
/// only in its constructor. Writes complete on one thread at a time, and each thread sees the effects of the one
/// before.
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

    /// <param name="limit">Number of commits in the run.</param>
    public LoadRun(int slots, long limit)
    {
        Initial = (int)Math.Min(slots, limit);
        outstanding = Initial;
        left = limit - Initial;
    }

    /// <summary>Number of writes that begin the run.</summary>
    public int Initial { get; }

    /// <summary>Latencies in nanoseconds, the unit of the stopwatch. To be read after draining.</summary>
    public LongHistogram Latencies { get; } = new(LatencyNanosecondsMax, numberOfSignificantValueDigits: 2);

    /// <summary>Number of committed writes. Any thread may read it.</summary>
    public long Committed => Volatile.Read(ref committed);

    /// <summary>
    /// Number of failed writes, including those with an unknown outcome. Each failed write was followed by another
    /// attempt.
    /// </summary>
    public long Failed { get; private set; }

    /// <summary>Records the answer to a write. Returns true if the caller has to begin another write.</summary>
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

    /// <summary>Stops the run: no further write begins.</summary>
    public void Stop() => isStopping = true;

    /// <exception cref="TimeoutException">Some writes were not answered in time.</exception>
    public void WaitUntilDrained(TimeSpan timeout)
    {
        lock (gate)
        {
            if (isDrained || Monitor.Wait(gate, timeout))
                return;
        }
        throw new TimeoutException(
            $"after {timeout.TotalSeconds:F0} s, {Committed} writes are committed and others are not answered");
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
