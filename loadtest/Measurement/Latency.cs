using System.Diagnostics;
using HdrHistogram;

namespace RaftFast.LoadTest.Measurement;

/// <summary>Histograms of latencies, in microseconds to three digits.</summary>
internal static class Latency
{
    public const int Digits = 3;

    /// <summary>Maximum latency that is recorded, ten minutes. A longer latency is recorded as this value.</summary>
    public const long MicrosecondsMax = 600_000_000;

    public static LongHistogram NewHistogram() => new(1, MicrosecondsMax, Digits);

    public static long Microseconds(long timestamps) => (long)(timestamps * (1e6 / Stopwatch.Frequency));

    /// <summary>Latency at a percentile; zero if the histogram is empty.</summary>
    public static TimeSpan At(HistogramBase latencies, double percentile) =>
        TimeSpan.FromMicroseconds(latencies.TotalCount == 0 ? 0 : latencies.GetValueAtPercentile(percentile));
}
