namespace RaftFast.Http;

/// <summary>
/// Time of the last tick. The clock is exact enough for deadlines of seconds and for Date, and costs nothing to read.
/// </summary>
internal sealed class CoarseClock(TimeProvider time)
{
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    private readonly long origin = time.GetTimestamp();
    private long milliseconds;
    private long utcSeconds = time.GetUtcNow().Ticks / TimeSpan.TicksPerSecond;

    /// <summary>Milliseconds since this clock was made; never goes back.</summary>
    public long Milliseconds => Volatile.Read(ref milliseconds);

    /// <summary>Seconds since the origin of <see cref="DateTime.Ticks"/>.</summary>
    public long UtcSeconds => Volatile.Read(ref utcSeconds);

    public void Tick()
    {
        Volatile.Write(ref milliseconds, (long)time.GetElapsedTime(origin).TotalMilliseconds);
        Volatile.Write(ref utcSeconds, time.GetUtcNow().Ticks / TimeSpan.TicksPerSecond);
    }
}
