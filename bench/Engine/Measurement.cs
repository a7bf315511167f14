using HdrHistogram;

namespace RaftFast.Engine;

/// <summary>What was measured between two moments of a run.</summary>
internal sealed class Measurement(Workload workload, int members, LoadRun run, Usage begin, Usage end)
{
    /// <summary>For the answers to what is still under way when a run's time is over.</summary>
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(30);

    public Workload Workload => workload;

    public long Commits => end.Committed - begin.Committed;

    public long Failed => run.Failed;

    public double Seconds => System.Diagnostics.Stopwatch.GetElapsedTime(begin.Timestamp, end.Timestamp).TotalSeconds;

    public double CommitsPerSecond => Commits / Seconds;

    public double ProcessorSecondsPerMillion => (end.ProcessorSeconds - begin.ProcessorSeconds) / Commits * 1e6;

    public long AllocatedBytes => end.AllocatedBytes - begin.AllocatedBytes;

    public double AllocatedBytesPerCommit => AllocatedBytes / (double)Commits;

    /// <summary>Of each generation; a collection of an older one counts for the younger too.</summary>
    public (int Gen0, int Gen1, int Gen2) Collections =>
        (end.Collections0 - begin.Collections0, end.Collections1 - begin.Collections1, end.Collections2 - begin.Collections2);

    /// <summary>Of all members; null if that can't be told.</summary>
    public double? WritesPerSecond => Writes?.Count / Seconds;

    public double? EntriesPerWrite => (double)Commits * members / Writes?.Count;

    /// <summary>Bytes that one member's log wrote for a commit, padding to whole blocks and all.</summary>
    public double? LogBytesPerCommit => Writes?.Bytes / ((double)Commits * members);

    private LogWrites? Writes => end.Writes - begin.Writes;

    /// <returns>Milliseconds.</returns>
    public double Percentile(double percentile) => run.Latencies.GetValueAtPercentile(percentile) / 1e6;

    /// <param name="count">So many commits; 0: as many as there are in <paramref name="seconds"/>.</param>
    /// <param name="timeout">Of a count.</param>
    public static Measurement Take(
        ILoadTarget target, Workload workload, int members, double warmUpSeconds, double seconds, long count, TimeSpan timeout)
    {
        LoadRun warmUp = new(workload.Slots, long.MaxValue);
        target.Start(warmUp);
        Sleep(warmUpSeconds);
        warmUp.Stop();
        warmUp.WaitUntilDrained(DrainTimeout);
        // Both once before they count, for what they allocate the first time.
        LoadRun run = new(workload.Slots, count > 0 ? count : long.MaxValue);
        _ = Usage.Now(run, target);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Usage begin = Usage.Now(run, target);
        target.Start(run);
        if (count > 0)
            run.WaitUntilDrained(timeout);
        else
            Sleep(seconds);
        Usage end = Usage.Now(run, target);
        run.Stop();
        run.WaitUntilDrained(DrainTimeout);
        return new Measurement(workload, members, run, begin, end);
    }

    private static void Sleep(double seconds) => Thread.Sleep(TimeSpan.FromSeconds(seconds));
}
