using System.Globalization;
using BenchmarkDotNet.Parameters;
using BenchmarkDotNet.Reports;

namespace RaftFast.Bench.Baselines;

/// <summary>A benchmark's result, now or when the baselines were written: a line <c>benchmark,parameters,mean ns,allocated bytes</c>.</summary>
/// <param name="Benchmark">Class and method.</param>
/// <param name="Parameters">As <c>Name=value</c>, with spaces between; may be empty.</param>
/// <param name="MeanNanoseconds">Of an operation.</param>
/// <param name="AllocatedBytes">
/// Of an operation, by all threads, rounded down: what is done once in all that is measured may allocate a little. The smallest object
/// has 24 bytes, so what allocates in every operation, or in one of 24, does not round to 0.
/// </param>
internal sealed record Measured(string Benchmark, string Parameters, double MeanNanoseconds, long AllocatedBytes)
{
    public const string Columns = "benchmark,parameters,mean ns,allocated bytes";

    public string Name => Parameters.Length == 0 ? Benchmark : $"{Benchmark} {Parameters}";

    /// <returns>Null when it did not run to its end, or was not asked what it allocates.</returns>
    public static Measured? Of(BenchmarkReport report)
    {
        long operations = report.GcStats.TotalOperations;
        long? allocated = report.GcStats.GetTotalAllocatedBytes(excludeAllocationQuantumSideEffects: false);
        if (!report.Success || report.ResultStatistics is not { } times || operations == 0 || allocated is not { } bytes)
            return null;
        return new Measured(NameOf(report), ParametersOf(report), times.Mean, bytes / operations);
    }

    public static string NameOf(BenchmarkReport report) =>
        $"{report.BenchmarkCase.Descriptor.Type.Name}.{report.BenchmarkCase.Descriptor.WorkloadMethod.Name}";

    /// <exception cref="FormatException">It is no such line.</exception>
    public static Measured Parse(string line) => line.Split(',') is [string benchmark, string parameters, string mean, string bytes]
        ? new Measured(benchmark, parameters, double.Parse(mean, CultureInfo.InvariantCulture), long.Parse(bytes, CultureInfo.InvariantCulture))
        : throw new FormatException($"no baseline: {line}");

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Benchmark},{Parameters},{MeanNanoseconds:0.0},{AllocatedBytes}");

    private static string ParametersOf(BenchmarkReport report) => string.Join(' ', report.BenchmarkCase.Parameters.Items.Select(
        static (ParameterInstance parameter) => string.Create(CultureInfo.InvariantCulture, $"{parameter.Name}={parameter.Value}")));
}
