using System.Globalization;
using BenchmarkDotNet.Parameters;
using BenchmarkDotNet.Reports;

namespace RaftFast.Bench.Baselines;

/// <summary>
/// Result of a benchmark, from this run or from the baselines: a line <c>benchmark,parameters,mean ns,allocated
/// bytes</c>.
/// </summary>
/// <param name="Benchmark">Class and method.</param>
/// <param name="Parameters">Parameters as <c>Name=value</c>, separated by spaces. May be empty.</param>
/// <param name="MeanNanoseconds">Mean time of an operation.</param>
/// <param name="AllocatedBytes">
/// Bytes that all threads allocate for an operation, rounded down. So work done once in a measurement may allocate a
/// little. The smallest object has 24 bytes, so an allocation in every operation, or in every 24th, does not round to
/// 0.
/// </param>
internal sealed record Measured(string Benchmark, string Parameters, double MeanNanoseconds, long AllocatedBytes)
{
    public const string Columns = "benchmark,parameters,mean ns,allocated bytes";

    public string Name => Parameters.Length == 0 ? Benchmark : $"{Benchmark} {Parameters}";

    /// <returns>Null if the benchmark did not complete, or did not measure allocations.</returns>
    public static Measured? Of(BenchmarkReport report)
    {
        long operations = report.GcStats.TotalOperations;
        long? allocated = report.GcStats.GetTotalAllocatedBytes(excludeAllocationQuantumSideEffects: false);
        if (!report.Success || operations == 0)
            return null;
        if (report.ResultStatistics is not { } times || allocated is not { } bytes)
            return null;
        return new Measured(NameOf(report), ParametersOf(report), times.Mean, bytes / operations);
    }

    public static string NameOf(BenchmarkReport report) =>
        $"{report.BenchmarkCase.Descriptor.Type.Name}.{report.BenchmarkCase.Descriptor.WorkloadMethod.Name}";

    /// <exception cref="FormatException">The line has another form.</exception>
    public static Measured Parse(string line)
    {
        if (line.Split(',') is not [string benchmark, string parameters, string mean, string bytes])
            throw new FormatException($"this line is not a baseline: {line}");
        CultureInfo culture = CultureInfo.InvariantCulture;
        return new Measured(benchmark, parameters, double.Parse(mean, culture), long.Parse(bytes, culture));
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Benchmark},{Parameters},{MeanNanoseconds:0.0},{AllocatedBytes}");

    private static string ParametersOf(BenchmarkReport report) =>
        string.Join(' ', report.BenchmarkCase.Parameters.Items.Select(TextOf));

    private static string TextOf(ParameterInstance parameter) =>
        string.Create(CultureInfo.InvariantCulture, $"{parameter.Name}={parameter.Value}");
}
