using HdrHistogram;

namespace RaftFast.LoadTest.Measurement;

/// <summary>What a run came to.</summary>
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

    /// <summary>The longest time in which nothing was Ok.</summary>
    public TimeSpan Gap { get; }

    /// <summary>Of an open loop: the 99th percentile of how late the generator itself was.</summary>
    public TimeSpan? Lag { get; }

    public StepResult? Find(string step) => step == All.Name ? All : Steps.FirstOrDefault(each => each.Name == step);
}
