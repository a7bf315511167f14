namespace RaftFast.Http;

/// <summary>Client action that a connection waits for.</summary>
internal enum Awaited : byte
{
    Nothing,
    Request,
    Headers,
    Body,
    Flush,
    Close,
}

/// <summary>
/// Deadline for the client action that a connection waits for. The connection sets it; the front's sweep also reads it.
/// </summary>
internal sealed class Deadline(CoarseClock clock, HttpLimits limits)
{
    private long milliseconds = long.MaxValue;

    public Awaited Awaited { get; private set; }

    public bool HasPassed => clock.Milliseconds >= Volatile.Read(ref milliseconds);

    public void Clear() => Set(Awaited.Nothing, Timeout.InfiniteTimeSpan);

    /// <summary>Begins to wait for <paramref name="awaited"/>. If it is awaited already, the deadline stays.</summary>
    public void Arm(Awaited awaited)
    {
        if (awaited == Awaited)
            return;
        Set(awaited, awaited switch
        {
            Awaited.Request => limits.KeepAliveTimeout,
            Awaited.Headers => limits.HeadersTimeout,
            Awaited.Body => limits.BodyTimeout,
            Awaited.Flush => limits.WriteTimeout,
            Awaited.Close => limits.LingerTimeout,
            _ => Timeout.InfiniteTimeSpan,
        });
    }

    private void Set(Awaited awaited, TimeSpan timeout)
    {
        Awaited = awaited;
        Volatile.Write(ref milliseconds, timeout == Timeout.InfiniteTimeSpan
            ? long.MaxValue
            : clock.Milliseconds + (long)timeout.TotalMilliseconds);
    }
}
