namespace RaftFast.Http;

/// <summary>Until when a client has to do what its connection waits for. Set by the connection, looked at by the sweep too.</summary>
internal sealed class Deadline(CoarseClock clock, HttpLimits limits)
{
    private long milliseconds = long.MaxValue;
    private long begun;

    public Awaited Awaited { get; private set; }

    public bool HasPassed => clock.Milliseconds >= Volatile.Read(ref milliseconds);

    public void Clear() => Set(Awaited.Nothing, Timeout.InfiniteTimeSpan);

    /// <summary>Begins to wait for <paramref name="awaited"/>, or continues if that is what it waits for.</summary>
    /// <param name="bytes">Of a body, the bytes that have come so far; of a flush, the bytes that the client has to take.</param>
    public void Arm(Awaited awaited, long bytes)
    {
        if (awaited != Awaited)
        {
            begun = clock.Milliseconds;
            Set(awaited, awaited switch
            {
                Awaited.Request => limits.KeepAliveTimeout,
                Awaited.Headers => limits.HeadersTimeout,
                Awaited.Close => limits.LingerTimeout,
                _ => Timeout.InfiniteTimeSpan,
            });
        }
        // At the least rate the client would have sent or taken these bytes by then.
        if (awaited is Awaited.Body or Awaited.Flush)
            Volatile.Write(ref milliseconds, begun + Math.Max((long)limits.RateGrace.TotalMilliseconds, bytes * 1000 / limits.RateMin));
    }

    private void Set(Awaited awaited, TimeSpan timeout)
    {
        Awaited = awaited;
        Volatile.Write(ref milliseconds, timeout == Timeout.InfiniteTimeSpan
            ? long.MaxValue
            : clock.Milliseconds + (long)timeout.TotalMilliseconds);
    }
}
