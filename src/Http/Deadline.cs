namespace RaftFast.Http;

/// <summary>
/// Deadline for the client action that this connection waits for. The connection sets the deadline; the front's sweep
/// reads the deadline too.
/// </summary>
internal sealed class Deadline(CoarseClock clock, HttpLimits limits)
{
    private long milliseconds = long.MaxValue;
    private long begun;
    private long idleSince = long.MaxValue;

    public Awaited Awaited { get; private set; }

    /// <summary>Time since which the connection waits for a request; MaxValue while it does not.</summary>
    public long IdleSince => Volatile.Read(ref idleSince);

    public bool HasPassed => clock.Milliseconds >= Volatile.Read(ref milliseconds);

    public void Clear() => Set(Awaited.Nothing, Timeout.InfiniteTimeSpan);

    /// <summary>
    /// Starts to wait for <paramref name="awaited"/>, or continues if the connection waits for it already.
    /// </summary>
    /// <param name="bytes">Bytes of a body that have come so far, or bytes of a flush that the client has to
    /// take.</param>
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
        // At the least rate, the client needs this much time for these bytes.
        if (awaited is Awaited.Body or Awaited.Flush)
        {
            long allowed = Math.Max((long)limits.RateGrace.TotalMilliseconds, bytes * 1000 / limits.RateMin);
            Volatile.Write(ref milliseconds, begun + allowed);
        }
    }

    private void Set(Awaited awaited, TimeSpan timeout)
    {
        Awaited = awaited;
        Volatile.Write(ref idleSince, awaited == Awaited.Request ? clock.Milliseconds : long.MaxValue);
        Volatile.Write(ref milliseconds, timeout == Timeout.InfiniteTimeSpan
            ? long.MaxValue
            : clock.Milliseconds + (long)timeout.TotalMilliseconds);
    }
}

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
