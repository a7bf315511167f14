namespace RaftFast.Http;

/// <summary>
/// Time at the last tick. It is exact enough for deadlines of seconds and for the Date header, and reading it is cheap.
/// </summary>
internal sealed class CoarseClock(TimeProvider time)
{
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    private readonly long origin = time.GetTimestamp();
    private long milliseconds;
    private long utcSeconds = time.GetUtcNow().Ticks / TimeSpan.TicksPerSecond;

    /// <summary>Monotonic time since this clock was created.</summary>
    public long Milliseconds => Volatile.Read(ref milliseconds);

    /// <summary>UTC seconds since the year 1: <see cref="DateTime.Ticks"/> in seconds.</summary>
    public long UtcSeconds => Volatile.Read(ref utcSeconds);

    public void Tick()
    {
        Volatile.Write(ref milliseconds, (long)time.GetElapsedTime(origin).TotalMilliseconds);
        Volatile.Write(ref utcSeconds, time.GetUtcNow().Ticks / TimeSpan.TicksPerSecond);
    }
}
