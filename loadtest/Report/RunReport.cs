using System.Globalization;
using RaftFast.LoadTest.Load;
using RaftFast.LoadTest.Measurement;
using RaftFast.LoadTest.Scenarios;
using RaftFast.LoadTest.Simulations;

namespace RaftFast.LoadTest.Report;

/// <summary>A threshold, and the measured value.</summary>
internal readonly record struct ThresholdResult(string Text, bool IsHeld, string Actual);

/// <summary>A run, with everything that a reader needs to judge its figures.</summary>
internal sealed record RunReport(
    Scenario Scenario, IReadOnlyList<string> Simulations, RunPlan Plan, string Target, DateTimeOffset At,
    RunResult Result, IReadOnlyList<ThresholdResult> Thresholds, Generator? Generator)
{
    private static readonly double[] Percentiles = [50, 90, 95, 99, 99.9];

    /// <summary>Columns of the table of steps.</summary>
    public static IReadOnlyList<string> Columns { get; } =
    [
        "step", "ok", "failed", "ok/s", "mean",
        .. Percentiles.Select(percent => string.Create(CultureInfo.InvariantCulture, $"p{percent}")), "max",
    ];

    public string Outcome => IsHeld ? "all thresholds held" : "a threshold was missed";

    public bool IsHeld => Thresholds.All(threshold => threshold.IsHeld);

    public string Verdict => Generator is null
        ? "the generator was not measured (--no-calibration): the figures may be the generator's limit"
        : Generator.Verdict(Result);

    /// <summary>All steps, and, if there are several, also their sum.</summary>
    public IReadOnlyList<StepResult> Rows => Result.Steps.Count == 1 ? Result.Steps : [.. Result.Steps, Result.All];

    /// <summary>Names and values of the settings and of the machine.</summary>
    public IReadOnlyList<(string Name, string Value)> Facts =>
    [
        ("scenario", $"{Scenario.Name}: {Scenario.Description}"),
        ("simulation", string.Join(", then ", Simulations)),
        ("warm-up", Duration.Text(Plan.WarmUp)),
        ("target", Target),
        ("date", At.ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture)),
        ("machine", Machine.Describe()),
        ("generator", Verdict),
    ];

    /// <summary>One row of the table of steps.</summary>
    public static IReadOnlyList<string> Cells(StepResult step) =>
    [
        step.Name, Number(step.Ok), Number(step.Failed), Number((long)step.OkPerSecond), Duration.Text(step.Mean),
        .. Percentiles.Select(percent => Duration.Text(step.Percentile(percent))), Duration.Text(step.Percentile(100)),
    ];

    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
