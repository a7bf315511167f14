using System.Diagnostics;
using RaftFast.LoadTest.Measurement;
using RaftFast.LoadTest.Scenarios;

namespace RaftFast.LoadTest.Tests;

public sealed class ThresholdTests
{
    /// <summary>98 PUTs of 1 to 98 ms, one GET of 1 s, one failure.</summary>
    private static readonly RunResult Hundred = Make();

    [Theory]
    [InlineData("p50<51ms", true)]
    [InlineData("p50<50ms", false)]
    [InlineData("p99<=2s", true)]
    [InlineData("put.p99<1s", true)]
    [InlineData("max<1s", false)]
    [InlineData("max>=1s", true)]
    [InlineData("put.max<99ms", true)]
    [InlineData("get.mean>999ms", true)]
    [InlineData("failed<=1%", true)]
    [InlineData("failed<1%", false)]
    [InlineData("failed<=0.5%", false)]
    [InlineData("get.failed<=0%", true)]
    [InlineData("rate>1", true)]
    [InlineData("rate<1", false)]
    [InlineData("gap<1min", true)]
    [InlineData("gap<0us", false)]
    [InlineData("delete.p50<1s", false)]
    public void A_threshold_holds_or_not(string text, bool isHeld)
    {
        Threshold? threshold = Threshold.TryParse(text, out string? error);
        Assert.Null(error);
        Assert.Equal(isHeld, threshold!.IsHeld(Hundred, out string actual));
        Assert.NotEmpty(actual);
    }

    [Theory]
    [InlineData("p99<1s")]
    [InlineData("failed<100%")]
    [InlineData("gap<1min")]
    [InlineData("rate>=0")]
    public void No_threshold_holds_without_a_success(string text)
    {
        Measurements measurements = new();
        measurements.Begin();
        measurements.Record("put", Response.TimedOut, 0, 1);
        measurements.End();
        Assert.False(Threshold.TryParse(text, out _)!.IsHeld(new RunResult(measurements), out _));
        Measurements empty = new();
        empty.Begin();
        empty.End();
        Assert.False(Threshold.TryParse(text, out _)!.IsHeld(new RunResult(empty), out _));
    }

    [Theory]
    [InlineData("")]
    [InlineData("p99")]
    [InlineData("p99<10")]
    [InlineData("p101<10ms")]
    [InlineData("p99=10ms")]
    [InlineData("failed<1")]
    [InlineData("rate<10ms")]
    [InlineData("put.gap<1s")]
    [InlineData("speed<1s")]
    public void A_mistake_is_refused(string text)
    {
        Assert.Null(Threshold.TryParse(text, out string? error));
        Assert.Contains("is not a threshold", error, StringComparison.Ordinal);
    }

    private static RunResult Make()
    {
        Measurements measurements = new();
        measurements.Begin();
        long millisecond = Stopwatch.Frequency / 1000;
        for (int i = 1; i <= 98; i++)
            measurements.Record("put", Response.Answered(204, 10), 0, i * millisecond);
        measurements.Record("get", Response.Answered(200, 10), 0, 1000 * millisecond);
        measurements.Record("put", Response.Answered(503, 10), 0, 5 * millisecond);
        measurements.End();
        return new RunResult(measurements);
    }
}
