using HdrHistogram;

namespace RaftFast.LoadTest.Measurement;

/// <summary>Result of a step, or of all steps together.</summary>
/// <param name="Latencies">Latencies of the responses that were Ok.</param>
/// <param name="Failures">Number of responses that were not Ok, by status.</param>
internal sealed record StepResult(
    string Name, LongHistogram Latencies, IReadOnlyDictionary<string, long> Failures, long Bytes, TimeSpan Elapsed)
{
    public long Ok => Latencies.TotalCount;

    public long Failed => Failures.Values.Sum();

    public double OkPerSecond => Elapsed == TimeSpan.Zero ? 0 : Ok / Elapsed.TotalSeconds;

    /// <summary>Percentage of all responses that failed; 100 if there was no response.</summary>
    public double FailedPercent => Ok + Failed == 0 ? 100 : 100.0 * Failed / (Ok + Failed);

    public TimeSpan Mean => TimeSpan.FromMicroseconds(Ok == 0 ? 0 : Latencies.GetMean());

    public TimeSpan Percentile(double percent) => Latency.At(Latencies, percent);
}

/// <summary>Result of a run.</summary>
internal sealed class RunResult
{
    public RunResult(Measurements measurements)
    {
        List<StepResult> steps = [];
        LongHistogram latencies = Latency.NewHistogram();
        Dictionary<string, long> failures = [];
        long bytes = 0;
        foreach (StepStats step in measurements.Steps)
        {
            steps.Add(new StepResult(step.Name, step.Latencies, step.Failures, step.Bytes, measurements.Elapsed));
            latencies.Add(step.Latencies);
            bytes += step.Bytes;
            foreach ((string status, long count) in step.Failures)
                failures[status] = failures.GetValueOrDefault(status) + count;
        }
        Steps = steps;
        All = new StepResult("all", latencies, failures, bytes, measurements.Elapsed);
        Samples = measurements.Samples;
        Events = measurements.Events;
        Gap = measurements.Gap;
        Lag = measurements.Lag.TotalCount == 0 ? null : Latency.At(measurements.Lag, 99);
    }

    public IReadOnlyList<StepResult> Steps { get; }

    public StepResult All { get; }

    public IReadOnlyList<Sample> Samples { get; }

    public IReadOnlyList<RunEvent> Events { get; }

    /// <summary>Longest time without a response that was Ok.</summary>
    public TimeSpan Gap { get; }

    /// <summary>99th percentile of the generator's own lateness in an open loop; null after a closed loop.</summary>
    public TimeSpan? Lag { get; }

    public StepResult? Find(string step) => step == All.Name ? All : Steps.FirstOrDefault(each => each.Name == step);
}
