using System.Globalization;
using System.Net;
using System.Text;
using HdrHistogram;
using HdrHistogram.Iteration;
using RaftFast.LoadTest.Measurement;
using RaftFast.LoadTest.Simulations;

namespace RaftFast.LoadTest.Report;

/// <summary>A run as one self-contained HTML file: tables, and plots over time and over percentiles.</summary>
internal static class HtmlReport
{
    private const int PercentileTicksPerHalfDistance = 5;

    private const string Style = """
        body { font: 14px/1.45 system-ui, sans-serif; max-width: 900px; margin: 2em auto; padding: 0 1em }
        body { color: #222; background: #fff }
        table { border-collapse: collapse; margin: 1em 0 }
        th, td { padding: .2em .8em .2em 0; text-align: left; vertical-align: top }
        .figures td + td, .figures th + th { text-align: right; font-variant-numeric: tabular-nums }
        svg { width: 100%; margin: 1em 0; font: 11px system-ui, sans-serif; fill: #222 }
        svg .title { font-size: 14px; font-weight: 600 }
        .grid { stroke: #8883; } .event { stroke: #d33; stroke-dasharray: 4 3 }
        .held { color: #187a33 } .missed { color: #c22; font-weight: 600 }
        @media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1d } svg { fill: #ddd } }
        """;

    private static readonly string[] Colors = ["#3b7dd8", "#e08a1e", "#c2336d", "#2a9d62", "#7d5bd0"];

    public static string Write(RunReport report)
    {
        StringBuilder html = new();
        string outcome = report.IsHeld ? "held" : "missed";
        html.Append("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">");
        html.AppendLine("<meta name=\"viewport\" content=\"width=device-width\">");
        html.AppendLine(CultureInfo.InvariantCulture,
            $"<title>RaftFast: {Escape(report.Scenario.Name)}</title><style>{Style}</style>");
        html.AppendLine(CultureInfo.InvariantCulture,
            $"<h1>{Escape(report.Scenario.Name)}: <span class=\"{outcome}\">{report.Outcome}</span></h1>");
        AddTable(html, "facts", null, report.Facts.Select(fact => (string[])[fact.Name, fact.Value]));
        AddTable(html, "figures", RunReport.Columns, report.Rows.Select(RunReport.Cells));
        AddTable(html, "thresholds", ["threshold", "was", "held"],
            report.Thresholds.Select(
                threshold => (string[])[threshold.Text, threshold.Actual, threshold.IsHeld ? "yes" : "no"]));
        AddTable(html, "failures", ["step", "failed with", "times"],
            report.Result.Steps.SelectMany(step => step.Failures.Select(
                failure => (string[])[step.Name, failure.Key, RunReport.Number(failure.Value)])));
        html.AppendLine(CultureInfo.InvariantCulture,
            $"<p>Longest time without a success: {Duration.Text(report.Result.Gap)}.</p>");
        AddTable(html, "events", ["at", "what"],
            report.Result.Events.Select(happened => (string[])[$"{Seconds(happened.At.TotalSeconds)}", happened.Text]));
        if (report.Result.All.Ok > 0)
        {
            html.Append(RateOverTime(report.Result));
            html.Append(LatencyOverTime(report.Result));
            html.Append(LatencyByPercentile(report.Rows));
        }
        html.AppendLine("</html>");
        return html.ToString();
    }

    private static string RateOverTime(RunResult result)
    {
        Series ok = Line("ok", Colors[0], result.Samples, sample => PerSecond(sample.Ok, sample));
        Series failed = Line("failed", Colors[2], result.Samples, sample => PerSecond(sample.Failed, sample));
        IEnumerable<double> rates = ok.Points.Concat(failed.Points).Select(point => point.Y);
        Axis up = new("requests a second", rates, value => RunReport.Number((long)value));
        return new LineChart("Rate", TimeAxis(result), up, [ok, failed]) { Events = Events(result) }.Svg();
    }

    private static string LatencyOverTime(RunResult result)
    {
        List<Sample> samples = [.. result.Samples.Where(sample => sample.Ok > 0)];
        Series[] lines =
        [
            Line("p50", Colors[0], samples, sample => sample.Median.TotalMicroseconds),
            Line("p99", Colors[1], samples, sample => sample.NinetyNinth.TotalMicroseconds),
            Line("max", Colors[2], samples, sample => sample.Longest.TotalMicroseconds),
        ];
        Axis up = LatencyAxis(lines);
        return new LineChart("Latency over time", TimeAxis(result), up, lines) { Events = Events(result) }.Svg();
    }

    /// <summary>Plots latency over 1/(1 − percentile) on a logarithmic scale: each decade is one more nine.</summary>
    private static string LatencyByPercentile(IReadOnlyList<StepResult> steps)
    {
        List<Series> lines = [];
        foreach (StepResult step in steps.Where(step => step.Ok > 0))
        {
            List<(double, double)> points = [];
            foreach (HistogramIterationValue value in step.Latencies.Percentiles(PercentileTicksPerHalfDistance))
            {
                if (value.PercentileLevelIteratedTo < 100)
                    points.Add((1 / (1 - (value.PercentileLevelIteratedTo / 100)), value.ValueIteratedTo));
            }
            lines.Add(new Series(step.Name, Colors[lines.Count % Colors.Length], points));
        }
        IEnumerable<double> places = lines.SelectMany(line => line.Points).Select(point => point.X).Append(10);
        Axis across = new("percentile", places, PercentileText, isLogarithmic: true, floor: 1);
        return new LineChart("Latency by percentile", across, LatencyAxis(lines), lines).Svg();
    }

    private static string PercentileText(double oneIn) =>
        oneIn < 2 ? "0 %" : $"{(100 - (100 / oneIn)).ToString("0.########", CultureInfo.InvariantCulture)} %";

    private static Series Line(string name, string color, IReadOnlyList<Sample> samples, Func<Sample, double> value) =>
        new(name, color, [.. samples.Select(sample => (sample.At.TotalSeconds, value(sample)))]);

    private static Axis TimeAxis(RunResult result) => new(
        "seconds", result.Samples.Select(sample => sample.At.TotalSeconds),
        value => value.ToString("0.##", CultureInfo.InvariantCulture));

    private static Axis LatencyAxis(IEnumerable<Series> lines) => new(
        "latency", lines.SelectMany(line => line.Points).Select(point => point.Y),
        value => Duration.Text(TimeSpan.FromMicroseconds(value)), isLogarithmic: true, floor: 10);

    private static IReadOnlyList<(double X, string Text)> Events(RunResult result) =>
        [.. result.Events.Select(happened => (happened.At.TotalSeconds, happened.Text))];

    private static double PerSecond(long count, in Sample sample) =>
        sample.Length > TimeSpan.Zero ? count / sample.Length.TotalSeconds : 0;

    private static void AddTable(
        StringBuilder html, string name, IReadOnlyList<string>? head, IEnumerable<IReadOnlyList<string>> rows)
    {
        List<IReadOnlyList<string>> all = [.. rows];
        if (all.Count == 0)
            return;
        html.AppendLine(CultureInfo.InvariantCulture, $"<table class=\"{name}\">");
        if (head is not null)
            AddRow(html, "th", head);
        foreach (IReadOnlyList<string> row in all)
            AddRow(html, "td", row);
        html.AppendLine("</table>");
    }

    private static void AddRow(StringBuilder html, string cell, IReadOnlyList<string> texts)
    {
        html.Append("<tr>");
        foreach (string text in texts)
            html.Append(CultureInfo.InvariantCulture, $"<{cell}>{Escape(text)}</{cell}>");
        html.AppendLine("</tr>");
    }

    private static string Seconds(double seconds) => seconds.ToString("F1", CultureInfo.InvariantCulture) + " s";

    private static string Escape(string text) => WebUtility.HtmlEncode(text);
}
