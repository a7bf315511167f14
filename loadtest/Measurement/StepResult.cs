using HdrHistogram;

namespace RaftFast.LoadTest.Measurement;

/// <summary>What a step, or all steps together, came to.</summary>
/// <param name="Latencies">Of the responses that were Ok.</param>
/// <param name="Failures">How many were not, by status.</param>
internal sealed record StepResult(
    string Name, LongHistogram Latencies, IReadOnlyDictionary<string, long> Failures, long Bytes, TimeSpan Elapsed)
{
    public long Ok => Latencies.TotalCount;

    public long Failed => Failures.Values.Sum();

    public double OkPerSecond => Elapsed == TimeSpan.Zero ? 0 : Ok / Elapsed.TotalSeconds;

    /// <summary>Of all responses; nothing at all counts as failed.</summary>
    public double FailedPercent => Ok + Failed == 0 ? 100 : 100.0 * Failed / (Ok + Failed);

    public TimeSpan Mean => TimeSpan.FromMicroseconds(Ok == 0 ? 0 : Latencies.GetMean());

    public TimeSpan Percentile(double percent) => Latency.At(Latencies, percent);
}
