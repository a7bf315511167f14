using System.Globalization;
using System.Net;
using RaftFast.LoadTest.Load;
using RaftFast.LoadTest.Measurement;
using RaftFast.LoadTest.Report;
using RaftFast.LoadTest.Scenarios;
using RaftFast.LoadTest.Scenarios.Cluster;
using RaftFast.LoadTest.Simulations;

namespace RaftFast.LoadTest;

/// <summary>
/// One scenario from beginning to end: starts the cluster if the scenario needs one, measures the generator, runs the
/// load and reports.
/// </summary>
internal sealed class Session(LoadTestOptions options, TextWriter output, TextWriter error)
{
    private Scenario Scenario => options.Scenario;

    /// <returns>An <see cref="ExitCode"/>.</returns>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        try
        {
            if (Scenario.Disturbance is not { } disturbance)
                return await RunAsync(options.Targets, null, cancellation);
            using LocalCluster cluster =
                await LocalCluster.StartAsync(options.Binary, disturbance.MemberFlags, cancellation);
            return await RunAsync(disturbance.Aim(cluster), cluster, cancellation);
        }
        catch (ClusterException e)
        {
            string flags = string.Join(' ', Scenario.Disturbance!.MemberFlags);
            bool isRefused = e.IsUsage && flags.Length > 0;
            string reason = isRefused
                ? $"{options.Binary} doesn't know {flags}, which scenario {Scenario.Name} needs: "
                : "";
            await error.WriteLineAsync($"loadtest: {reason}{e.Message}");
            return e.IsUsage ? ExitCode.Usage : ExitCode.NoTarget;
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            await error.WriteLineAsync("loadtest: interrupted before measuring began: there is no report");
            return ExitCode.Interrupted;
        }
    }

    private async Task<int> RunAsync(
        IReadOnlyList<IPEndPoint> members, LocalCluster? cluster, CancellationToken cancellation)
    {
        Target target = new(members, options.Timeout);
        Response ready = await Scenario.Load.PrepareAsync(target);
        if (!ready.IsOk)
        {
            await error.WriteLineAsync($"loadtest: {Text(target)} is not ready for load: {ready.Status}");
            return ExitCode.NoTarget;
        }
        Generator? generator = options.Calibrates ? await MeasureGeneratorAsync(cancellation) : null;
        string simulations = string.Join(", then ", options.Simulations);
        await output.WriteLineAsync($"{Scenario.Name}: {Scenario.Description}; {simulations}");
        DateTimeOffset at = DateTimeOffset.UtcNow;
        RunResult result = await MeasureAsync(target, cluster, cancellation);
        List<ThresholdResult> thresholds = [];
        foreach (Threshold threshold in options.Thresholds)
            thresholds.Add(new ThresholdResult(threshold.Text, threshold.IsHeld(result, out string actual), actual));
        string where = cluster is null
            ? Text(target)
            : $"{Text(target)}, in a cluster of three members that run {options.Binary}";
        RunReport report = new(Scenario, options.Simulations, options.Plan, where, at, result, thresholds, generator);
        await PublishAsync(report);
        if (cancellation.IsCancellationRequested)
        {
            await error.WriteLineAsync(
                "loadtest: interrupted: the thresholds were checked on an incomplete run and prove nothing");
            return ExitCode.Interrupted;
        }
        return report.IsHeld ? ExitCode.Success : ExitCode.ThresholdMissed;
    }

    private async Task<Generator> MeasureGeneratorAsync(CancellationToken cancellation)
    {
        int copies = options.Plan.Simulations.Max(simulation => simulation switch
        {
            KeepConstant keep => keep.Copies,
            RampingConstant ramp => ramp.Copies,
            Inject or RampingInject => Math.Min(64, options.Plan.CopiesMax),
            _ => 1,
        });
        Generator generator = await Generator.MeasureAsync(Scenario.Load, copies, cancellation);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"the generator reaches {generator.PerSecond:N0}/s against an empty HTTP server, with {copies} copies"));
        return generator;
    }

    private async Task<RunResult> MeasureAsync(Target target, LocalCluster? cluster, CancellationToken cancellation)
    {
        Measurements measurements = new();
        using CancellationTokenSource ended = new();
        Task progress = new Progress(measurements, output).RunAsync(ended.Token);
        Task Disturb(CancellationToken token) => cluster is null
            ? Task.CompletedTask
            : Scenario.Disturbance!.RunAsync(cluster, options.Plan.During, measurements.Say, token);
        await new ScenarioRun(options.Plan, measurements).RunAsync(Scenario.Load, target, Disturb, cancellation);
        await ended.CancelAsync();
        await progress;
        return new RunResult(measurements);
    }

    private async Task PublishAsync(RunReport report)
    {
        string summary = MarkdownReport.Write(report);
        await output.WriteLineAsync();
        await output.WriteAsync(summary);
        if (options.ReportDirectory is not { } directory)
            return;
        Directory.CreateDirectory(directory);
        string path = Path.Combine(directory, Scenario.Name);
        await File.WriteAllTextAsync(path + ".md", summary);
        await File.WriteAllTextAsync(path + ".html", HtmlReport.Write(report));
        await output.WriteLineAsync($"\nwrote {path}.html and {path}.md");
    }

    private static string Text(Target target) => string.Join(", ", target.Members.Select(member => $"http://{member}"));
}
