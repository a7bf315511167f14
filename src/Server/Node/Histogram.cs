using System.Numerics;
using RaftFast.Protocol;

namespace RaftFast.Server.Node;

/// <summary>
/// Distribution of a quantity, in two buckets an octave: each bound is 1.5 or 1.33 times the one before. One thread
/// records, without allocation; any thread copies.
/// </summary>
internal sealed class Histogram
{
    private readonly int firstExponent;
    private readonly long[] counts;
    private long sum;

    /// <param name="firstExponent">The first bound is two to this power, from 1.</param>
    /// <param name="octaves">
    /// The last bound is two to the power of both together. Greater values have a bucket of their own.
    /// </param>
    public Histogram(int firstExponent, int octaves)
    {
        Invariant.Hold(firstExponent >= 1);
        Invariant.Hold(firstExponent + octaves < 62);
        this.firstExponent = firstExponent;
        counts = new long[2 * octaves + 2];
    }

    /// <summary>Durations in microseconds, from 32 µs to 16.8 s.</summary>
    public static Histogram OfMicroseconds() => new(firstExponent: 5, octaves: 19);

    /// <summary>Numbers of items, from 2 to 16,384.</summary>
    public static Histogram OfItems() => new(firstExponent: 1, octaves: 13);

    /// <summary>Bytes, from 4 KiB to 4 MiB.</summary>
    public static Histogram OfBytes() => new(firstExponent: 12, octaves: 10);

    /// <summary>Records a value, as often as <paramref name="times"/> says.</summary>
    public void Record(long value, long times = 1)
    {
        counts[BucketOf(value)] += times;
        sum += value * times;
    }

    public HistogramCopy Copy()
    {
        long[] copied = new long[counts.Length];
        for (int i = 0; i < copied.Length; i++)
            copied[i] = Volatile.Read(ref counts[i]);
        long[] bounds = new long[counts.Length - 1];
        for (int i = 0; i < bounds.Length; i++)
        {
            long power = 1L << (firstExponent + i / 2);
            bounds[i] = i % 2 == 0 ? power : power + power / 2;
        }
        return new HistogramCopy(bounds, copied, Volatile.Read(ref sum));
    }

    /// <summary>The first bucket whose bound is at least the value.</summary>
    private int BucketOf(long value)
    {
        // Subtract one, so that a value equal to a bound is in the bucket of that bound.
        long before = value - 1;
        if (before < 1L << firstExponent)
            return 0;
        int exponent = BitOperations.Log2((ulong)before);
        int half = (int)(before >> (exponent - 1)) & 1;
        return Math.Min(1 + 2 * (exponent - firstExponent) + half, counts.Length - 1);
    }
}

/// <summary>A histogram at one moment. The last count is of the values above all bounds.</summary>
internal sealed record HistogramCopy(long[] Bounds, long[] Counts, long Sum);
