namespace RaftFast.LoadTest.Load;

/// <summary>Due times of an open loop's iterations, at a rate that is constant or changes steadily.</summary>
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
        // Rounding errors must not lower a whole count by one.
        Count = (long)(((fromPerSecond + toPerSecond) / 2 * during.TotalSeconds) + 1e-6);
    }

    public long Count { get; }

    /// <summary>
    /// Due time of iteration i, counted from 0: the time t at which the integral of the rate, <c>from·t +
    /// slope·t²/2</c>, is i.
    /// </summary>
    public TimeSpan At(long i)
    {
        if (i == 0)
            return TimeSpan.Zero;
        double root = Math.Sqrt(Math.Max(0, (from * from) + (2 * slope * i)));
        return TimeSpan.FromSeconds(2 * i / (from + root));
    }
}
