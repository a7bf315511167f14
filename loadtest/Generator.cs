using System.Globalization;
using RaftFast.LoadTest.Load;
using RaftFast.LoadTest.Measurement;
using RaftFast.LoadTest.Scenarios;
using RaftFast.LoadTest.Simulations;

namespace RaftFast.LoadTest;

/// <summary>The rate that this generator reaches on this machine, and the judgement whether it limited a run.</summary>
/// <param name="PerSecond">
/// Successful steps a second of the same load against <see cref="EmptyServer"/>, in a closed loop.
/// </param>
internal sealed record Generator(double PerSecond)
{
    /// <summary>
    /// Minimum ratio of the generator's rate to the rate of a run. Below it, the generator may have limited the run.
    /// </summary>
    public const double RatioMin = 1.5;

    /// <summary>Maximum ratio of the generator's own lateness (p99) to the p99 of the latencies.</summary>
    public const double LagShareMax = 0.25;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan During = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Measures the generator. The empty server shares this machine with it, as a measured node does.
    /// </summary>
    public static async Task<Generator> MeasureAsync(Scenarios.Load load, int copies, CancellationToken cancellation)
    {
        await using EmptyServer server = EmptyServer.Start(0, load.ValueBytes);
        Target target = new([server.EndPoint], Timeout);
        await load.PrepareAsync(target);
        Measurements measurements = new();
        RunPlan plan = new([new KeepConstant(copies, During)], WarmUp, copies, long.MaxValue, Timeout);
        await new ScenarioRun(plan, measurements).RunAsync(load, target, _ => Task.CompletedTask, cancellation);
        return new Generator(new RunResult(measurements).All.OkPerSecond);
    }

    public double RatioTo(RunResult result) => PerSecond / result.All.OkPerSecond;

    public bool WasLimit(RunResult result) => RatioTo(result) < RatioMin || WasLate(result);

    /// <summary>The judgement in one line.</summary>
    public string Verdict(RunResult result)
    {
        string ratio = string.Create(CultureInfo.InvariantCulture,
            $"against an empty HTTP server it reaches {PerSecond:N0}/s, {RatioTo(result):F1} times the measured rate");
        string lag = result.Lag is { } late ? $", and began requests up to {Duration.Text(late)} late (p99)" : "";
        string needed = RatioMin.ToString(CultureInfo.InvariantCulture);
        if (RatioTo(result) < RatioMin)
        {
            return $"THE GENERATOR WAS THE LIMIT, or close to it: {ratio}{lag}; "
                + $"it needs at least {needed} times the measured rate";
        }
        if (WasLate(result))
            return $"THE GENERATOR WAS LATE: {ratio}{lag}; the latencies contain this delay, so they are upper bounds";
        return $"the generator was not the limit: {ratio}{lag}";
    }

    private static bool WasLate(RunResult result) => result.Lag > result.All.Percentile(99) * LagShareMax;
}
