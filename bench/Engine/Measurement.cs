using System.Diagnostics;

namespace RaftFast.Engine;

/// <summary>Resources that the process has used, and commits of the run, at one moment.</summary>
internal readonly record struct Usage(
    long Timestamp, long Committed, double ProcessorSeconds, long AllocatedBytes,
    int Collections0, int Collections1, int Collections2, LogWrites? Writes)
{
    public static Usage Now(LoadRun run, ILoadTarget target) => new(
        Stopwatch.GetTimestamp(), run.Committed, Environment.CpuUsage.TotalTime.TotalSeconds,
        GC.GetTotalAllocatedBytes(precise: true),
        GC.CollectionCount(0), GC.CollectionCount(1), GC.CollectionCount(2), target.Writes);
}

/// <summary>Measurements between two moments of a run.</summary>
internal sealed class Measurement(Workload workload, int members, LoadRun run, Usage begin, Usage end)
{
    /// <summary>Time for the answers to outstanding writes after a run.</summary>
    private static readonly TimeSpan DrainTimeout = TimeSpan.FromSeconds(30);

    public Workload Workload => workload;

    public long Commits => end.Committed - begin.Committed;

    public long Failed => run.Failed;

    public double Seconds => Stopwatch.GetElapsedTime(begin.Timestamp, end.Timestamp).TotalSeconds;

    public double CommitsPerSecond => Commits / Seconds;

    public double ProcessorSecondsPerMillion => (end.ProcessorSeconds - begin.ProcessorSeconds) / Commits * 1e6;

    public long AllocatedBytes => end.AllocatedBytes - begin.AllocatedBytes;

    public double AllocatedBytesPerCommit => AllocatedBytes / (double)Commits;

    /// <summary>
    /// Collections of each generation. A collection of an older generation also counts for the younger ones.
    /// </summary>
    public (int Gen0, int Gen1, int Gen2) Collections => (
        end.Collections0 - begin.Collections0,
        end.Collections1 - begin.Collections1,
        end.Collections2 - begin.Collections2);

    /// <summary>Writes a second of all members' logs; null if they can't be counted.</summary>
    public double? WritesPerSecond => Writes?.Count / Seconds;

    public double? EntriesPerWrite => (double)Commits * members / Writes?.Count;

    /// <summary>Bytes that one member's log wrote for a commit, including the padding to whole blocks.</summary>
    public double? LogBytesPerCommit => Writes?.Bytes / ((double)Commits * members);

    private LogWrites? Writes => end.Writes - begin.Writes;

    /// <summary>Latency in milliseconds.</summary>
    public double Percentile(double percentile) => run.Latencies.GetValueAtPercentile(percentile) / 1e6;

    /// <param name="count">Number of commits to measure, or 0 to measure for <paramref name="seconds"/>.</param>
    /// <param name="timeout">Time for <paramref name="count"/> commits.</param>
    public static Measurement Take(
        ILoadTarget target, Workload workload, int members, double warmUpSeconds, double seconds, long count,
        TimeSpan timeout)
    {
        LoadRun warmUp = new(workload.Slots, long.MaxValue);
        target.Start(warmUp);
        Sleep(warmUpSeconds);
        warmUp.Stop();
        warmUp.WaitUntilDrained(DrainTimeout);
        // The first use of LoadRun and Usage allocates, so both are used once before measuring begins.
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
