using System.Diagnostics;
using System.Net;
using HdrHistogram;
using HdrHistogram.Iteration;
using RaftFast.LoadTest.Load;
using RaftFast.LoadTest.Measurement;
using RaftFast.LoadTest.Scenarios;

namespace RaftFast.LoadTest.Tests;

public sealed class OpenLoopTests
{
    private const int Count = 100;

    /// <summary>Microseconds: latencies are whole microseconds.</summary>
    private const int Rounding = 1;

    private static readonly Target Nowhere = new([new IPEndPoint(IPAddress.Loopback, 1)], TimeSpan.FromSeconds(1));
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly DueTimes Dues = new(Count * 10, Count * 10, TimeSpan.FromSeconds(0.1));

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(Count)]
    public async Task Latency_of_requests_due_during_a_stall_counts_from_their_due_time(int copiesMax)
    {
        GatedLoad load = new();
        Measurements measurements = new();
        using Copies copies = new(load, Nowhere, measurements, new Budget(long.MaxValue));
        OpenLoop open = new(copies, copiesMax, Patience);
        measurements.Begin();
        Task run = open.RunAsync(Dues, TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => load.Started + open.Overdue == Count);
        Assert.Equal(copiesMax, load.Started);
        long stallEnds = Stopwatch.GetTimestamp();
        load.Open();
        await run;
        measurements.End();
        StepResult result = new RunResult(measurements).All;
        Assert.Equal(Count, result.Ok);
        // The first request was due no later than it was sent, and the others at fixed times after it. No request was
        // answered during the stall.
        double stallMicros = Stopwatch.GetElapsedTime(load.FirstStarted, stallEnds).TotalMicroseconds;
        List<long> waits = [];
        foreach (HistogramIterationValue value in result.Latencies.RecordedValues())
        {
            for (int i = 0; i < value.CountAtValueIteratedTo; i++)
                waits.Add(value.ValueIteratedTo);
        }
        waits.Sort();
        waits.Reverse();
        for (int i = 0; i < Count; i++)
        {
            double stalledFor = stallMicros - Dues.At(i).TotalMicroseconds;
            Assert.True(waits[i] + Rounding >= stalledFor, $"{i}: {waits[i]} µs of {stalledFor}");
        }
    }

    [Fact]
    public async Task Requests_that_no_copy_could_send_are_failures()
    {
        GatedLoad load = new();
        Measurements measurements = new();
        using Copies copies = new(load, Nowhere, measurements, new Budget(long.MaxValue));
        OpenLoop open = new(copies, 1, TimeSpan.Zero);
        measurements.Begin();
        Task run = open.RunAsync(Dues, TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => load.Started + open.Overdue == Count && open.HasGivenUp);
        load.Open();
        await run;
        measurements.End();
        StepResult result = new RunResult(measurements).All;
        Assert.Equal(1, result.Ok);
        Assert.Equal(Count - 1, result.Failures["not sent"]);
    }

    [Fact]
    public async Task No_more_iterations_are_begun_than_the_budget_allows()
    {
        GatedLoad load = new();
        load.Open();
        Measurements measurements = new();
        using Copies copies = new(load, Nowhere, measurements, new Budget(10));
        measurements.Begin();
        await new OpenLoop(copies, 4, Patience).RunAsync(Dues, TestContext.Current.CancellationToken);
        await new ClosedLoop(copies).RunAsync(4, 4, TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
        measurements.End();
        Assert.Equal(10, new RunResult(measurements).All.Ok);
    }
}
