using System.Diagnostics;
using System.Globalization;
using System.Numerics;

namespace RaftFast.Bench;

/// <summary>A histogram of stopwatch ticks, with sixteen buckets for each doubling.</summary>
internal sealed class Latencies
{
    private const int StepsLog2 = 4;

    private readonly long[] counts = new long[64 << StepsLog2];
    private long count;
    private long sum;
    private long longest;
    private long longestOfThread;

    /// <param name="ticks">Ticks of the stopwatch.</param>
    /// <param name="ofThread">Nanoseconds of the thread's own clock, including the time of reading it.</param>
    public void Add(long ticks, long ofThread)
    {
        longestOfThread = Math.Max(longestOfThread, ofThread);
        counts[BucketOf(ticks)]++;
        count++;
        sum += ticks;
        longest = Math.Max(longest, ticks);
    }

    public void Add(Latencies others)
    {
        for (int i = 0; i < counts.Length; i++)
            counts[i] += others.counts[i];
        count += others.count;
        sum += others.sum;
        longest = Math.Max(longest, others.longest);
        longestOfThread = Math.Max(longestOfThread, others.longestOfThread);
    }

    public void Clear()
    {
        Array.Clear(counts);
        count = sum = longest = longestOfThread = 0;
    }

    public void Print(string what) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{what}: mean {Nanoseconds(sum / (double)count):N0} ns, p50 {Percentile(0.5):N0}, p99 {Percentile(0.99):N0}, "
        + $"p99.9 {Percentile(0.999):N0}, p99.99 {Percentile(0.9999):N0}, "
        + $"longest {Nanoseconds(longest):N0} ns ({longestOfThread:N0} of the thread's own), of {count:N0}"));

    /// <summary>Value below which this part of all values lies, in nanoseconds.</summary>
    public double Percentile(double part)
    {
        long below = 0;
        int bucket = 0;
        for (; bucket < counts.Length - 1 && below + counts[bucket] < part * count; bucket++)
            below += counts[bucket];
        return Nanoseconds(TicksOf(bucket));
    }

    private static int BucketOf(long ticks)
    {
        if (ticks < 1 << StepsLog2)
            return (int)ticks;
        int shift = BitOperations.Log2((ulong)ticks) - StepsLog2;
        return ((shift + 1) << StepsLog2) + (int)(ticks >> shift) - (1 << StepsLog2);
    }

    private static long TicksOf(int bucket)
    {
        int shift = (bucket >> StepsLog2) - 1;
        return shift < 0 ? bucket : ((bucket & ((1L << StepsLog2) - 1)) + (1L << StepsLog2)) << shift;
    }

    private static double Nanoseconds(double ticks) => ticks * 1e9 / Stopwatch.Frequency;
}
