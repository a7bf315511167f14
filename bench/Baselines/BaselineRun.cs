using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Environments;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using Perfolizer.Horology;

namespace RaftFast.Bench.Baselines;

/// <summary>
/// Runs all benchmarks in this process, and writes their results as baselines or compares what they allocate with the baselines.
/// Times are written for the reader and never compared: they are the machine's.
/// </summary>
internal static class BaselineRun
{
    public const string PathDefault = "bench/baselines.csv";

    /// <returns>The process's exit code.</returns>
    public static int Check(string path)
    {
        List<string> offences = [];
        List<Measured> now = RunAll(Quick, offences);
        offences.AddRange(Compare(ReadFile(path), now));
        foreach (string offence in offences)
            Console.Error.WriteLine(offence);
        Console.WriteLine($"{now.Count} benchmarks, {offences.Count} of them not as in {path}");
        return offences.Count == 0 ? 0 : 1;
    }

    /// <returns>The process's exit code.</returns>
    public static int Write(string path)
    {
        List<string> offences = [];
        List<Measured> now = RunAll(Long, offences);
        foreach (string offence in offences)
            Console.Error.WriteLine(offence);
        if (offences.Count > 0)
            return 1;
        string machine = $"# {DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}, {HostEnvironmentInfo.GetCurrent().Cpu.Value?.ProcessorName ?? "unknown processor"}, {Environment.ProcessorCount} of its threads, {RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}";
        File.WriteAllLines(path, [machine, Measured.Columns, .. now.Select(static each => each.ToString())]);
        return 0;
    }

    /// <summary>Compares what is allocated, not times.</summary>
    /// <returns>A line for each difference that must not be.</returns>
    internal static IEnumerable<string> Compare(IReadOnlyList<Measured> baselines, IReadOnlyList<Measured> now)
    {
        Dictionary<string, Measured> byName = now.ToDictionary(static each => each.Name);
        foreach (Measured baseline in baselines)
        {
            if (!byName.Remove(baseline.Name, out Measured? measured))
                yield return $"{baseline.Name}: there is a baseline, but no such benchmark";
            else if (baseline.AllocatedBytes == 0 && measured.AllocatedBytes > 0)
                yield return $"{baseline.Name}: allocates {measured.AllocatedBytes} bytes an operation, and allocated nothing when the baselines were written";
        }
        foreach (string name in byName.Keys)
            yield return $"{name}: there is no baseline";
    }

    private static Job Quick => Job.Default
        .WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(2).WithIterationCount(1)
        .WithEvaluateOverhead(false).WithIterationTime(TimeInterval.FromMilliseconds(50));

    private static Job Long => Job.Default
        .WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(5).WithIterationCount(10)
        .WithIterationTime(TimeInterval.FromMilliseconds(250));

    private static List<Measured> ReadFile(string path) =>
        [.. File.ReadLines(path).Where(static line => !line.StartsWith('#') && line != Measured.Columns).Select(Measured.Parse)];

    /// <summary>
    /// The collections before a measurement leave the finalizer's thread with work that allocates, the array pool's trimming for one,
    /// and it would be counted. Of BenchmarkDotNet's own tests: so that thread waits for the measurement's end.
    /// </summary>
    private static void HoldFinalizer()
    {
        const string variable = "BENCHMARKDOTNET_UNITTEST_BLOCK_FINALIZER_FOR_MEMORYDIAGNOSER";
        Environment.SetEnvironmentVariable(variable, $"{variable}_ACTIVE");
    }

    /// <param name="failures">Gets a line for each benchmark without a result.</param>
    private static List<Measured> RunAll(Job job, List<string> failures)
    {
        HoldFinalizer();
        AccumulationLogger log = new();
        ManualConfig config = ManualConfig.CreateEmpty().AddJob(job).AddLogger(log).WithOptions(ConfigOptions.DisableLogFile);
        List<Measured> results = [];
        foreach (Summary summary in BenchmarkRunner.Run(Assembly.GetExecutingAssembly(), config))
        {
            foreach (BenchmarkReport report in summary.Reports)
            {
                if (Measured.Of(report) is { } measured)
                {
                    results.Add(measured);
                    Console.WriteLine($"{DateTime.Now:mm:ss} {measured} total {report.GcStats.GetTotalAllocatedBytes(false)} of {report.GcStats.TotalOperations}");
                }
                else
                {
                    failures.Add($"{Measured.NameOf(report)}: did not run to its end, or has no [MemoryDiagnoser]");
                }
            }
        }
        if (failures.Count > 0)
            Console.Error.WriteLine(log.GetLog());
        return results;
    }
}
