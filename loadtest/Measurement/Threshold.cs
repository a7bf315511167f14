using System.Globalization;
using System.Text.RegularExpressions;
using RaftFast.LoadTest.Simulations;

namespace RaftFast.LoadTest.Measurement;

/// <summary>
/// A condition that a run has to fulfil for exit code 0: <c>p99&lt;10ms</c>, <c>put.max&lt;=1s</c>,
/// <c>rate&gt;=5000</c>, <c>failed&lt;0.1%</c>, <c>gap&lt;1500ms</c>. A threshold without a step's name is for all
/// steps together.
/// </summary>
internal sealed partial record Threshold
{
    private readonly string step;
    private readonly string metric;
    private readonly string comparison;

    /// <summary>The limit in the metric's unit: seconds, responses a second, or percent.</summary>
    private readonly double limit;

    private Threshold(string text, string step, string metric, string comparison, double limit)
    {
        Text = text;
        this.step = step;
        this.metric = metric;
        this.comparison = comparison;
        this.limit = limit;
    }

    public string Text { get; }

    /// <param name="error">A line that says what is wrong and what is valid, or null.</param>
    public static Threshold? TryParse(string text, out string? error)
    {
        error = null;
        Match match = Shape().Match(text);
        bool isOfRun = match.Groups["metric"].Value == "gap";
        bool isKnown = match.Success && !(isOfRun && match.Groups["step"].Success);
        if (isKnown && TryLimit(match.Groups["metric"].Value, match.Groups["limit"].Value, out double limit))
        {
            string step = match.Groups["step"].Success ? match.Groups["step"].Value : "all";
            return new Threshold(text, step, match.Groups["metric"].Value, match.Groups["comparison"].Value, limit);
        }
        error = $"'{text}' is not a threshold; write it like p99<10ms, put.p99.9<=20ms, mean<2ms, max<1s, rate>=5000, "
            + "failed<=0% or gap<1500ms";
        return null;
    }

    /// <param name="actual">The measured value, as text.</param>
    public bool IsHeld(RunResult result, out string actual)
    {
        StepResult? stats = result.Find(step);
        if (stats is null)
        {
            actual = $"there was no step '{step}'";
            return false;
        }
        double value = metric switch
        {
            "mean" => stats.Mean.TotalSeconds,
            "max" => stats.Percentile(100).TotalSeconds,
            "rate" => stats.OkPerSecond,
            "failed" => stats.FailedPercent,
            "gap" => result.Gap.TotalSeconds,
            _ => stats.Percentile(double.Parse(metric.AsSpan(1), CultureInfo.InvariantCulture)).TotalSeconds,
        };
        actual = metric switch
        {
            "rate" => value.ToString("N0", CultureInfo.InvariantCulture) + "/s",
            "failed" => value.ToString("0.###", CultureInfo.InvariantCulture) + " %",
            _ => Duration.Text(TimeSpan.FromSeconds(value)),
        };
        // Without a success there is no latency, rate or gap, so the threshold doesn't hold.
        if (stats.Ok == 0 && metric != "failed")
        {
            actual = "no request succeeded";
            return false;
        }
        return comparison switch
        {
            "<" => value < limit,
            "<=" => value <= limit,
            ">" => value > limit,
            _ => value >= limit,
        };
    }

    private static bool TryLimit(string metric, string text, out double limit)
    {
        bool isRate = metric == "rate";
        if (isRate || metric == "failed")
        {
            ReadOnlySpan<char> digits = isRate ? text : text.AsSpan().TrimEnd('%');
            return double.TryParse(digits, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out limit)
                && (isRate || text.EndsWith('%'));
        }
        bool isDuration = Duration.TryParse(text, out TimeSpan duration);
        limit = duration.TotalSeconds;
        bool isPercentile = metric[0] == 'p';
        return isDuration && (!isPercentile || double.Parse(metric.AsSpan(1), CultureInfo.InvariantCulture) <= 100);
    }

    [GeneratedRegex(
        @"^((?<step>[a-z][a-z ]*)\.)?(?<metric>p\d+(\.\d+)?|mean|max|rate|failed|gap)\s*(?<comparison><=|>=|<|>)\s*"
        + @"(?<limit>[\d.]+[a-zµ%]*)$",
        RegexOptions.CultureInvariant)]
    private static partial Regex Shape();
}
