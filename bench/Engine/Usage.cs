using System.Diagnostics;

namespace RaftFast.Engine;

/// <summary>What the process has used up, and the run has done, at one moment.</summary>
internal readonly record struct Usage(
    long Timestamp, long Committed, double ProcessorSeconds, long AllocatedBytes, int Collections0, int Collections1, int Collections2,
    LogWrites? Writes)
{
    public static Usage Now(LoadRun run, ILoadTarget target) => new(
        Stopwatch.GetTimestamp(), run.Committed, Environment.CpuUsage.TotalTime.TotalSeconds, GC.GetTotalAllocatedBytes(precise: true),
        GC.CollectionCount(0), GC.CollectionCount(1), GC.CollectionCount(2), target.Writes);
}
