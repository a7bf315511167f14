namespace RaftFast.Server.Sockets.Epoll;

/// <summary>
/// One direction of a socket: whether the system may have something new, and whether an operation waits for that. The
/// socket's thread signals; the side that uses the socket looks and waits. Each waiting operation is completed by
/// exactly one thread, the one that takes it.
/// </summary>
internal struct Readiness
{
    private const int Unknown = 0;
    private const int Signalled = 1;
    private const int Waiting = 2;

    private int state;

    /// <summary>True if the socket's thread has signalled since the last <see cref="Look"/>.</summary>
    public bool IsSignalled => Volatile.Read(ref state) == Signalled;

    /// <summary>Called before a system call: a signal that comes after this call is not lost.</summary>
    public void Look() => Interlocked.Exchange(ref state, Unknown);

    /// <returns>True if an operation waited. The caller has taken it, and tries to complete it.</returns>
    public bool Signal() => Interlocked.Exchange(ref state, Signalled) == Waiting;

    /// <returns>False if there was a signal since the last <see cref="Look"/>: then look again.</returns>
    public bool TryWait() => Interlocked.CompareExchange(ref state, Waiting, Unknown) == Unknown;

    /// <returns>True if an operation waited. The caller has taken it, and completes it.</returns>
    public bool TryTakeWaiting() => Interlocked.CompareExchange(ref state, Unknown, Waiting) == Waiting;
}
