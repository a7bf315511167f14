using System.Diagnostics;
using HdrHistogram;

namespace RaftFast.LoadTest.Measurement;

/// <summary>Latencies are kept in microseconds, to three digits.</summary>
internal static class Latency
{
    public const int Digits = 3;

    /// <summary>Ten minutes: what is longer is recorded as this, and not left out.</summary>
    public const long MicrosecondsMax = 600_000_000;

    public static LongHistogram NewHistogram() => new(1, MicrosecondsMax, Digits);

    public static long Microseconds(long timestamps) => (long)(timestamps * (1e6 / Stopwatch.Frequency));

    /// <summary>Zero of an empty histogram.</summary>
    public static TimeSpan At(HistogramBase latencies, double percentile) =>
        TimeSpan.FromMicroseconds(latencies.TotalCount == 0 ? 0 : latencies.GetValueAtPercentile(percentile));
}
