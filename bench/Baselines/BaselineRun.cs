using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
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
/// Runs all benchmarks in this process. Writes the results as baselines, or compares allocations with the baselines.
/// The times in the baselines are only for the reader, because they depend on the machine.
/// </summary>
internal static class BaselineRun
{
    public const string PathDefault = "bench/baselines.csv";

    /// <returns>The process's exit code.</returns>
    public static int Check(string path)
    {
        IEnumerable<string> lines =
            File.ReadLines(path).Where(static line => !line.StartsWith('#') && line != Measured.Columns);
        Dictionary<string, Measured> byName = lines.Select(Measured.Parse).ToDictionary(static each => each.Name);
        List<string> offences = [];
        List<Measured> now = RunAll(
            offences, measured => Console.WriteLine(Line(measured, byName.GetValueOrDefault(measured.Name))));
        offences.AddRange(Offences(byName, now));
        return Report(offences, $"{now.Count} benchmarks allocate no more than {path} allows");
    }

    /// <returns>The process's exit code.</returns>
    public static int Write(string path)
    {
        List<string> offences = [];
        List<Measured> now = RunAll(offences, static measured => Console.WriteLine(Line(measured, null)));
        if (offences.Count == 0)
            File.WriteAllLines(path, [Machine(), Measured.Columns, .. now.Select(static each => each.ToString())]);
        return Report(offences, $"wrote {now.Count} baselines to {path}");
    }

    private static int Report(List<string> offences, string otherwise)
    {
        foreach (string offence in offences)
            Console.Error.WriteLine($"baseline: {offence}");
        if (offences.Count == 0)
            Console.WriteLine(otherwise);
        return offences.Count == 0 ? 0 : 1;
    }

    /// <returns>A line for each forbidden difference.</returns>
    private static IEnumerable<string> Offences(Dictionary<string, Measured> baselines, List<Measured> now)
    {
        HashSet<string> missing = [.. baselines.Keys];
        foreach (Measured measured in now)
        {
            missing.Remove(measured.Name);
            if (!baselines.TryGetValue(measured.Name, out Measured? baseline))
                yield return $"{measured.Name}: has no baseline; add it with: baseline --write";
            else if (baseline.AllocatedBytes == 0 && measured.AllocatedBytes > 0)
            {
                yield return $"{measured.Name}: allocates {measured.AllocatedBytes} bytes an operation, "
                    + "but its baseline is 0; remove the allocation";
            }
        }
        foreach (string name in missing)
            yield return $"{name}: has a baseline, but no result; remove it with: baseline --write";
    }

    private static string Line(Measured now, Measured? baseline)
    {
        string line = string.Create(
            CultureInfo.InvariantCulture, $"{now.Name,-56} {now.AllocatedBytes,4} B {now.MeanNanoseconds,12:N1} ns");
        if (baseline is null)
            return line;
        double ratio = now.MeanNanoseconds / baseline.MeanNanoseconds;
        return string.Create(
            CultureInfo.InvariantCulture, $"{line}, recorded {baseline.MeanNanoseconds,12:N1} ns, ratio {ratio:0.00}");
    }

    private static string Machine()
    {
        string date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        string processor = HostEnvironmentInfo.GetCurrent().Cpu.Value?.ProcessorName ?? "unknown processor";
        return $"# {date}, {processor}, {Environment.ProcessorCount} of its threads, "
            + $"{RuntimeInformation.OSDescription}, {RuntimeInformation.FrameworkDescription}";
    }

    /// <summary>
    /// Keeps the finalizer's thread waiting until a measurement ends, with a switch that BenchmarkDotNet has for its
    /// own tests. Collections before a measurement give that thread work that allocates, such as trimming the array
    /// pool. These allocations would be counted.
    /// </summary>
    private static void HoldFinalizer()
    {
        const string variable = "BENCHMARKDOTNET_UNITTEST_BLOCK_FINALIZER_FOR_MEMORYDIAGNOSER";
        Environment.SetEnvironmentVariable(variable, $"{variable}_ACTIVE");
    }

    /// <param name="failures">List to which a line is added for each benchmark without a result.</param>
    private static List<Measured> RunAll(List<string> failures, Action<Measured> onMeasured)
    {
        HoldFinalizer();
        List<Measured> results = [];
        IEnumerable<Type> types = Assembly.GetExecutingAssembly().GetTypes().Where(HasBenchmarks);
        foreach (Type type in types.OrderBy(static type => type.Name, StringComparer.Ordinal))
        {
            List<Measured> measured = Run(type, failures);
            // A list or table may have grown once, under the highest load so far. In a second run, only operations that
            // always allocate do so again.
            if (failures.Count == 0 && measured.Exists(static each => each.AllocatedBytes > 0))
                measured = [.. measured.Zip(Run(type, failures), Lower)];
            measured.ForEach(onMeasured);
            results.AddRange(measured);
        }
        return results;
    }

    private static Measured Lower(Measured one, Measured other) =>
        one.AllocatedBytes <= other.AllocatedBytes ? one : other;

    private static List<Measured> Run(Type type, List<string> failures)
    {
        Job job = Job.Default
            .WithToolchain(InProcessEmitToolchain.Instance).WithWarmupCount(1).WithIterationCount(3)
            .WithEvaluateOverhead(false).WithIterationTime(TimeInterval.FromMilliseconds(50));
        AccumulationLogger log = new();
        ManualConfig config =
            ManualConfig.CreateEmpty().AddJob(job).AddLogger(log).WithOptions(ConfigOptions.DisableLogFile);
        List<Measured> results = [];
        foreach (BenchmarkReport report in BenchmarkRunner.Run(type, config).Reports)
        {
            if (Measured.Of(report) is { } measured)
                results.Add(measured);
            else
                failures.Add($"{Measured.NameOf(report)}: did not complete, or has no [MemoryDiagnoser]");
        }
        if (failures.Count > 0)
            Console.Error.WriteLine(log.GetLog());
        return results;
    }

    private static bool HasBenchmarks(Type type) =>
        type.GetMethods().Any(static method => method.GetCustomAttribute<BenchmarkAttribute>() is not null);
}
