namespace RaftFast.Http;

/// <summary>
/// Bytes that the requests and answers of all connections hold. Requests and answers of at most <see
/// cref="FreeBytes"/> are not counted: their number is bounded (<see cref="HttpLimits.RequestsMax"/>).
/// </summary>
internal sealed class ClientMemory(long bytesMax)
{
    /// <summary>Bytes of a request, or of an answer, that need no room.</summary>
    public const int FreeBytes = 1024;

    private long held;
    private bool isShort;

    /// <summary>Bytes held beyond the bound; not positive while there is room.</summary>
    public long Excess => Volatile.Read(ref held) - bytesMax;

    /// <returns>False if there is no room. Then a connection that does not move its bytes has to end.</returns>
    public bool TryHold(long bytes)
    {
        if (Interlocked.Add(ref held, bytes) <= bytesMax)
            return true;
        Interlocked.Add(ref held, -bytes);
        Volatile.Write(ref isShort, true);
        return false;
    }

    /// <summary>Counts bytes that are in memory already.</summary>
    public void Hold(long bytes) => Interlocked.Add(ref held, bytes);

    public void Release(long bytes) => Interlocked.Add(ref held, -bytes);

    /// <summary>Returns true if room was refused since the last call.</summary>
    public bool TakeShortage() => Interlocked.Exchange(ref isShort, false);
}

/// <summary>Bytes of <see cref="ClientMemory"/> that one connection holds, at most its share and one request.</summary>
internal sealed class ConnectionMemory(ClientMemory all, long share)
{
    private long held;

    public long Held => Volatile.Read(ref held);

    /// <summary>Any thread may call this.</summary>
    /// <returns>False if the connection has used its share, or all connections together the whole.</returns>
    public bool TryHold(long bytes)
    {
        if (Held >= share || !all.TryHold(bytes))
            return false;
        Interlocked.Add(ref held, bytes);
        return true;
    }

    /// <summary>Counts bytes that are in memory already.</summary>
    public void Hold(long bytes)
    {
        all.Hold(bytes);
        Interlocked.Add(ref held, bytes);
    }

    public void Release(long bytes)
    {
        if (bytes == 0)
            return;
        Interlocked.Add(ref held, -bytes);
        all.Release(bytes);
    }
}
