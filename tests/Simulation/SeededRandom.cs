namespace RaftFast.Simulation;

/// <summary>
/// A generator (SplitMix64) whose stream depends on its seed alone, on every machine. Each subsystem forks a generator
/// of its own by name, so that a new draw in one subsystem shifts no draw of another.
/// </summary>
public sealed class SeededRandom(ulong seed) : Random
{
    private readonly ulong seed = seed;
    private ulong state = seed;

    public SeededRandom Fork(string name)
    {
        ulong hash = 14695981039346656037;
        foreach (char c in name)
            hash = (hash ^ c) * 1099511628211;
        return new SeededRandom(Mix(seed ^ Mix(hash)));
    }

    public ulong NextUInt64() => Mix(state += 0x9E3779B97F4A7C15);

    /// <summary>True once in <paramref name="n"/> draws; never for 0.</summary>
    public bool OneIn(int n) => n > 0 && NextUInt64() % (ulong)n == 0;

    /// <summary>Draws from <paramref name="low"/> to <paramref name="high"/>, both included.</summary>
    public long Between(long low, long high) => low + (long)(NextUInt64() % (ulong)(high - low + 1));

    public override int Next(int maxValue) => (int)(NextUInt64() % (ulong)maxValue);

    public override int Next(int minValue, int maxValue) => minValue + Next(maxValue - minValue);

    public override int Next() => Next(int.MaxValue);

    public override long NextInt64() => (long)(NextUInt64() >> 1);

    public override void NextBytes(Span<byte> buffer)
    {
        foreach (ref byte b in buffer)
            b = (byte)NextUInt64();
    }

    protected override double Sample() => (NextUInt64() >> 11) * (1.0 / (1UL << 53));

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
