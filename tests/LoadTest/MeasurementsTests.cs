using System.Diagnostics;
using RaftFast.LoadTest.Measurement;
using RaftFast.LoadTest.Scenarios;

namespace RaftFast.LoadTest.Tests;

public sealed class MeasurementsTests
{
    private static readonly Response Ok = Response.Answered(204, 10);

    [Fact]
    public void The_gap_is_the_longest_time_without_a_success_in_any_order_of_recording()
    {
        Measurements measurements = new();
        measurements.Begin();
        long second = Stopwatch.Frequency;
        long start = Stopwatch.GetTimestamp() + second;
        measurements.Record("put", Ok, start, start + second);
        measurements.Record("put", Response.TimedOut, start, start + (7 * second));
        measurements.Record("put", Ok, start, start + (11 * second));
        measurements.Record("put", Ok, start, start + (5 * second));
        measurements.Record("put", Ok, start, start + (12 * second));
        Assert.Equal(TimeSpan.FromSeconds(10), measurements.Gap);
    }

    [Fact]
    public void Responses_before_the_beginning_or_after_the_end_are_not_counted()
    {
        Measurements measurements = new();
        measurements.Record("put", Ok, 0, 1);
        measurements.Dispatched(0);
        measurements.Begin();
        measurements.Record("put", Ok, 0, 1);
        measurements.End();
        measurements.Record("put", Ok, 0, 1);
        RunResult result = new(measurements);
        Assert.Equal(1, result.All.Ok);
        Assert.Null(result.Lag);
        Assert.False(measurements.TryTakeSample(out _));
    }

    [Fact]
    public void Samples_add_up_to_the_whole()
    {
        Measurements measurements = new();
        measurements.Begin();
        for (int i = 0; i < 10; i++)
        {
            for (int j = 0; j < i; j++)
                measurements.Record(j % 2 == 0 ? "put" : "get", j % 3 == 0 ? Response.TimedOut : Ok, 0, j);
            measurements.TryTakeSample(out _);
        }
        measurements.End();
        RunResult result = new(measurements);
        Assert.Equal(45, result.All.Ok + result.All.Failed);
        Assert.Equal(result.All.Ok, result.Samples.Sum(sample => sample.Ok));
        Assert.Equal(result.All.Failed, result.Samples.Sum(sample => sample.Failed));
        Assert.Equal(result.All.Elapsed, result.Samples[^1].At);
    }

    [Fact]
    public void Short_samples_after_a_late_one_stay_apart_until_the_end()
    {
        Measurements measurements = new();
        measurements.Begin();
        SpinWait.SpinUntil(() => measurements.Elapsed > TimeSpan.FromMilliseconds(50));
        for (int i = 0; i < 5; i++)
        {
            measurements.Record("put", Response.TimedOut, 0, 1);
            Assert.True(measurements.TryTakeSample(out Sample sample));
            Assert.Equal(1, sample.Failed);
        }
        measurements.End();
        Assert.InRange(new RunResult(measurements).Samples.Count, 5, 6);
    }

    [Fact]
    public void A_latency_above_the_maximum_is_recorded_as_the_maximum()
    {
        Measurements measurements = new();
        measurements.Begin();
        measurements.Record("put", Ok, 0, Stopwatch.Frequency * 100_000);
        measurements.End();
        TimeSpan longest = new RunResult(measurements).All.Percentile(100);
        Assert.InRange(longest, TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(11));
    }
}
