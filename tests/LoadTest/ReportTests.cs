using RaftFast.LoadTest.Load;
using RaftFast.LoadTest.Measurement;
using RaftFast.LoadTest.Report;
using RaftFast.LoadTest.Scenarios;

namespace RaftFast.LoadTest.Tests;

public sealed class ReportTests
{
    [Fact]
    public void A_run_without_a_success_is_reported()
    {
        Measurements measurements = new();
        measurements.Begin();
        measurements.Record("put", Response.TimedOut, 0, 1);
        measurements.End();
        RunReport report = Make(measurements, new Generator(1000));
        string summary = MarkdownReport.Write(report);
        string page = HtmlReport.Write(report);
        Assert.Contains("| put | timeout | 1 |", summary, StringComparison.Ordinal);
        Assert.Contains("<td>timeout</td>", page, StringComparison.Ordinal);
        Assert.DoesNotContain("NaN", summary + page, StringComparison.Ordinal);
        Assert.DoesNotContain("<svg", page, StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_line_of_a_member_is_escaped_in_both_reports()
    {
        Measurements measurements = new();
        measurements.Begin();
        measurements.Record("put", Response.Answered(204, 1), 0, 1);
        measurements.Say("member 1: <script> | \"snapshot\"");
        measurements.End();
        RunReport report = Make(measurements, null);
        Assert.Contains("<script> \\| ", MarkdownReport.Write(report), StringComparison.Ordinal);
        string page = HtmlReport.Write(report);
        Assert.DoesNotContain("<script>", page, StringComparison.Ordinal);
        Assert.Equal(3, page.Split("&lt;script&gt;").Length - 1);
    }

    [Theory]
    [InlineData(1.4, "THE GENERATOR WAS THE LIMIT")]
    [InlineData(1.6, "the generator was not the limit")]
    public void A_generator_below_one_and_a_half_times_the_rate_says_so(double ratio, string verdict)
    {
        Measurements measurements = new();
        measurements.Begin();
        for (int i = 0; i < 100; i++)
            measurements.Record("put", Response.Answered(204, 1), 0, i);
        measurements.End();
        RunResult result = new(measurements);
        Generator generator = new(result.All.OkPerSecond * ratio);
        Assert.Equal(ratio < Generator.RatioMin, generator.WasLimit(result));
        Assert.StartsWith(verdict, generator.Verdict(result), StringComparison.Ordinal);
    }

    [Fact]
    public void A_generator_that_was_late_says_so()
    {
        Measurements measurements = new();
        measurements.Begin();
        measurements.Record("put", Response.Answered(204, 1), 0, 1);
        measurements.Dispatched(0);
        measurements.End();
        RunResult result = new(measurements);
        string verdict = new Generator(double.MaxValue).Verdict(result);
        Assert.StartsWith("THE GENERATOR WAS LATE", verdict, StringComparison.Ordinal);
    }

    [Fact]
    public void Marks_lie_on_their_axis_in_order()
    {
        foreach (double greatest in (double[])[0, 0.3, 1, 7, 99, 1e7])
        {
            foreach (bool isLogarithmic in (bool[])[false, true])
            {
                Axis axis = new("", [greatest], value => $"{value}", isLogarithmic, isLogarithmic ? 1 : 0);
                double before = -1;
                foreach (double mark in axis.Marks())
                {
                    Assert.InRange(axis.Place(mark), before, 1);
                    Assert.NotEqual(before, axis.Place(mark));
                    before = axis.Place(mark);
                }
                Assert.InRange(axis.Place(greatest), 0, 1);
                Assert.True(axis.Marks().Count > 1);
            }
        }
    }

    private static RunReport Make(Measurements measurements, Generator? generator) => new(
        Catalog.All(1, 1, 1)[0], ["KeepConstant(1, 1s)"], new RunPlan([], TimeSpan.Zero, 1, 1, TimeSpan.Zero),
        "nowhere", DateTimeOffset.UnixEpoch, new RunResult(measurements), [], generator);
}
