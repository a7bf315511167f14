using HdrHistogram;

namespace RaftFast.LoadTest;

/// <summary>What a load has shown.</summary>
/// <param name="latencies">In microseconds.</param>
internal sealed class Result(HistogramBase latencies, long failures, TimeSpan elapsed)
{
    /// <summary>Requests that were answered, but not with 2xx, or not at all.</summary>
    public long Failures { get; } = failures;

    public double PerSecond => latencies.TotalCount / elapsed.TotalSeconds;

    public long Percentile(double percent) => latencies.TotalCount == 0 ? 0 : latencies.GetValueAtPercentile(percent);
}
