namespace RaftFast.Http;

/// <summary>
/// Writes the answers of a connection into its output and flushes them. An answer's memory stays reserved until the
/// answer is flushed.
/// </summary>
internal sealed class AnswerSender(
    ConnectionPipes pipes, ResponseWriter writer, ConnectionMemory memory, RequestCounters answered)
{
    /// <summary>Bytes of answers that are written before a flush.</summary>
    private const int FlushBytes = 64 * 1024;

    /// <summary>Memory of answers that are written and not flushed.</summary>
    private long unflushedHeld;

    /// <summary>Memory of the flush that is pending.</summary>
    private long flushingHeld;

    /// <summary>True if another answer may be written before the next flush.</summary>
    public bool HasRoom => pipes.UnflushedBytes < FlushBytes;

    /// <summary>Bytes of the last flush.</summary>
    public long FlushingBytes { get; private set; }

    /// <param name="request">A finished request.</param>
    /// <param name="closes">True if this is the connection's last answer.</param>
    /// <returns>False if the rest of the answer has to wait for a flush.</returns>
    public bool TryWrite(ClientRequest request, bool closes)
    {
        if (!writer.TryWrite(pipes.Output, request, closes, FlushBytes))
            return false;
        answered.Count(request);
        unflushedHeld += request.TakeHeld();
        return true;
    }

    /// <param name="partial">
    /// Request at the front of the queue, whose answer may be written in part; null if there is none.
    /// </param>
    /// <returns>True if the output was full and has room again.</returns>
    public bool Flush(ClientRequest? partial)
    {
        long unflushed = pipes.UnflushedBytes;
        if (unflushed == 0)
            return false;
        FlushingBytes = unflushed;
        flushingHeld = unflushedHeld;
        unflushedHeld = 0;
        pipes.Flush();
        if (pipes.IsFlushing)
        {
            CountPending(unflushed, partial);
            return false;
        }
        Release();
        return unflushed >= FlushBytes;
    }

    /// <summary>Returns true if a pending flush has completed since the last call.</summary>
    public bool PollFlush()
    {
        if (!pipes.PollFlush())
            return false;
        Release();
        return true;
    }

    /// <summary>Releases all memory; the connection has ended.</summary>
    public void Close()
    {
        flushingHeld += unflushedHeld;
        unflushedHeld = 0;
        Release();
    }

    /// <summary>
    /// Counts the bytes of a pending flush that nothing counts yet: small answers have no reservation. An answer that
    /// is written in part keeps its own reservation.
    /// </summary>
    private void CountPending(long unflushed, ClientRequest? partial)
    {
        long uncounted = unflushed - flushingHeld - (partial is { HasHead: true } ? partial.Held : 0);
        if (uncounted <= 0)
            return;
        memory.Hold(uncounted);
        flushingHeld += uncounted;
    }

    private void Release()
    {
        memory.Release(flushingHeld);
        flushingHeld = 0;
    }
}
