namespace RaftFast.Http;

/// <summary>Time as of the last tick: exact enough for deadlines of seconds and for Date, and free to read.</summary>
internal sealed class CoarseClock(TimeProvider time)
{
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    private readonly long origin = time.GetTimestamp();
    private long milliseconds;
    private long utcSeconds = time.GetUtcNow().Ticks / TimeSpan.TicksPerSecond;

    /// <summary>Monotonic, since this clock was made.</summary>
    public long Milliseconds => Volatile.Read(ref milliseconds);

    /// <summary>As <see cref="DateTime.Ticks"/>, in seconds.</summary>
    public long UtcSeconds => Volatile.Read(ref utcSeconds);

    public void Tick()
    {
        Volatile.Write(ref milliseconds, (long)time.GetElapsedTime(origin).TotalMilliseconds);
        Volatile.Write(ref utcSeconds, time.GetUtcNow().Ticks / TimeSpan.TicksPerSecond);
    }
}
