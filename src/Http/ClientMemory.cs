namespace RaftFast.Http;

/// <summary>
/// Memory of the requests and answers of all connections: their buffers, the answers on their way to the sockets, and
/// the free buffers. Requests and answers that fit the small buffer of a <see cref="ClientRequest"/> are not counted:
/// their number is bounded (<see cref="HttpLimits.RequestsMax"/>).
/// </summary>
internal sealed class ClientMemory(long bytesMax)
{
    private readonly BufferPool buffers = new();
    private long held;
    private bool isShort;

    /// <summary>Memory that no bound limits, for requests that no connection parses.</summary>
    public static ClientMemory Unlimited { get; } = new(long.MaxValue);

    /// <summary>Bytes of the buffers, rented and free, and of the answers on their way.</summary>
    public long Bytes => Held + buffers.FreeBytes;

    /// <summary>Bytes reserved beyond the bound; not positive while there is room.</summary>
    public long Excess => Held - bytesMax;

    private long Held => Volatile.Read(ref held);

    /// <summary>Reserves bytes. Without room, free buffers of other sizes give their pages back.</summary>
    /// <returns>
    /// False if there is no room. The front then ends a connection whose client takes no answers or sends no more of a
    /// request.
    /// </returns>
    public bool TryHold(long bytes)
    {
        if (Interlocked.Add(ref held, bytes) <= bytesMax)
        {
            GiveBackExcess();
            return true;
        }
        Interlocked.Add(ref held, -bytes);
        Volatile.Write(ref isShort, true);
        return false;
    }

    /// <summary>Counts bytes that are in memory already.</summary>
    public void Hold(long bytes)
    {
        Interlocked.Add(ref held, bytes);
        GiveBackExcess();
    }

    public void Release(long bytes) => Interlocked.Add(ref held, -bytes);

    /// <summary>Takes a buffer whose size the caller has reserved.</summary>
    public PooledBuffer Rent(int bytes) => buffers.Rent(bytes);

    public void Return(PooledBuffer buffer)
    {
        buffers.Return(buffer);
        GiveBackExcess();
    }

    /// <summary>Gives back the pages of buffers that were free since the last call.</summary>
    public void Trim() => buffers.Trim();

    /// <summary>Returns true if room was refused since the last call.</summary>
    public bool TakeShortage() => Interlocked.Exchange(ref isShort, false);

    private void GiveBackExcess()
    {
        long excess = Bytes - bytesMax;
        if (excess > 0)
            buffers.GiveBack(excess);
    }
}

/// <summary>Bytes of <see cref="ClientMemory"/> that one connection holds, at most its share and one request.</summary>
internal sealed class ConnectionMemory(ClientMemory all, long share)
{
    private long held;

    /// <summary>Memory of a connection that no bound limits.</summary>
    public static ConnectionMemory Unlimited { get; } = new(ClientMemory.Unlimited, long.MaxValue);

    public long Held => Volatile.Read(ref held);

    /// <summary>Any thread may call this.</summary>
    /// <returns>
    /// False if the connection has used its share, or all connections together have used the whole memory.
    /// </returns>
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

    /// <inheritdoc cref="ClientMemory.Rent"/>
    public PooledBuffer Rent(int bytes) => all.Rent(bytes);

    public void Return(PooledBuffer buffer) => all.Return(buffer);
}
