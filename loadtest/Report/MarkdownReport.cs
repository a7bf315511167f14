using System.Globalization;
using System.Text;
using RaftFast.LoadTest.Measurement;
using RaftFast.LoadTest.Simulations;

namespace RaftFast.LoadTest.Report;

/// <summary>Summary of a run in Markdown.</summary>
internal static class MarkdownReport
{
    public static string Write(RunReport report)
    {
        StringBuilder text = new();
        text.AppendLine(CultureInfo.InvariantCulture, $"# {report.Scenario.Name}: {report.Outcome}");
        text.AppendLine();
        foreach ((string name, string value) in report.Facts)
            text.AppendLine(CultureInfo.InvariantCulture, $"- {name}: {value}");
        text.AppendLine();
        text.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", RunReport.Columns)} |");
        text.Append('|').Insert(text.Length, "---|", RunReport.Columns.Count).AppendLine();
        foreach (StepResult step in report.Rows)
            text.AppendLine(CultureInfo.InvariantCulture, $"| {string.Join(" | ", RunReport.Cells(step))} |");
        text.AppendLine();
        text.AppendLine(
            CultureInfo.InvariantCulture, $"Longest time without a success: {Duration.Text(report.Result.Gap)}.");
        WriteFailures(text, report.Result);
        WriteThresholds(text, report.Thresholds);
        WriteEvents(text, report.Result.Events);
        return text.ToString();
    }

    private static void WriteFailures(StringBuilder text, RunResult result)
    {
        if (result.All.Failed == 0)
            return;
        text.AppendLine().AppendLine("| step | failed with | times |").AppendLine("|---|---|---|");
        foreach (StepResult step in result.Steps)
        {
            foreach ((string status, long count) in step.Failures.OrderByDescending(failure => failure.Value))
                text.AppendLine(CultureInfo.InvariantCulture, $"| {step.Name} | {status} | {count:N0} |");
        }
    }

    private static void WriteThresholds(StringBuilder text, IReadOnlyList<ThresholdResult> thresholds)
    {
        if (thresholds.Count == 0)
            return;
        text.AppendLine().AppendLine("| threshold | was | held |").AppendLine("|---|---|---|");
        foreach (ThresholdResult threshold in thresholds)
        {
            string held = threshold.IsHeld ? "yes" : "**no**";
            text.AppendLine(CultureInfo.InvariantCulture, $"| `{threshold.Text}` | {threshold.Actual} | {held} |");
        }
    }

    private static void WriteEvents(StringBuilder text, IReadOnlyList<RunEvent> events)
    {
        if (events.Count == 0)
            return;
        text.AppendLine().AppendLine("| at | what |").AppendLine("|---|---|");
        foreach (RunEvent happened in events)
        {
            string what = happened.Text.Replace("|", "\\|", StringComparison.Ordinal);
            text.AppendLine(CultureInfo.InvariantCulture, $"| {happened.At.TotalSeconds:F1} s | {what} |");
        }
    }
}
