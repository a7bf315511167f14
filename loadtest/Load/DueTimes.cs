namespace RaftFast.LoadTest.Load;

/// <summary>When each iteration of an open loop is due, at a rate that is constant or changes steadily.</summary>
internal readonly struct DueTimes
{
    private readonly double from;
    private readonly double slope;

    /// <param name="fromPerSecond">The rate at the beginning.</param>
    /// <param name="toPerSecond">The rate at the end.</param>
    public DueTimes(double fromPerSecond, double toPerSecond, TimeSpan during)
    {
        from = fromPerSecond;
        slope = (toPerSecond - fromPerSecond) / during.TotalSeconds;
        // A count that is whole but for the rounding is meant to be whole.
        Count = (long)(((fromPerSecond + toPerSecond) / 2 * during.TotalSeconds) + 1e-6);
    }

    public long Count { get; }

    /// <summary>
    /// When as many are due as come before this one: the i-th is due at the t where the integral of the rate,
    /// <c>from·t + slope·t²/2</c>, is i.
    /// </summary>
    public TimeSpan At(long i)
    {
        if (i == 0)
            return TimeSpan.Zero;
        double root = Math.Sqrt(Math.Max(0, (from * from) + (2 * slope * i)));
        return TimeSpan.FromSeconds(2 * i / (from + root));
    }
}
