using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Outbound;

/// <summary>
/// The bytes on their way into one connection, in a ring. The loop writes and flushes; the sender sends. Position p of
/// the stream stands at p modulo the ring's length, and sent ≤ flushed ≤ written ≤ sent + length.
/// <para>
/// A Pipe over Kestrel's transport is not used: it allocates about a byte for each byte sent in bulk, and a work item
/// for each wake-up.
/// </para>
/// </summary>
internal sealed class SendRing
{
    /// <summary>
    /// Maximum bytes handed to the socket at once, so that a clogged ring empties in steps that
    /// <see cref="CanSendBulk"/> sees.
    /// </summary>
    private const int RunBytesMax = 256 * 1024;

    private readonly byte[] ring;
    private readonly int bulkBytesMax;
    private readonly Inbox inbox;
    private readonly PeerDrained drained;
    private readonly WakeSignal wake = new();
    private long written;
    private long flushed;
    private long sent;
    private int frameBytesLeft;
    private int clogged;
    private volatile bool closed;

    /// <param name="ring">Pinned memory for this connection alone; its length is a power of two.</param>
    public SendRing(byte[] ring, int bulkBytesMax, Inbox inbox, PeerDrained drained)
    {
        Invariant.Hold(int.IsPow2(ring.Length));
        Invariant.Hold(ring.Length - bulkBytesMax >= PeerOptions.FrameBytesMax);
        this.ring = ring;
        this.bulkBytesMax = bulkBytesMax;
        this.inbox = inbox;
        this.drained = drained;
    }

    public bool IsClosed => closed;

    /// <summary>
    /// True while fewer bytes wait than the bound. Once false, stays false until half of the bound is sent, which posts
    /// <see cref="PeerDrained"/>. Called by the loop.
    /// </summary>
    public bool CanSendBulk()
    {
        if (closed || Volatile.Read(ref clogged) != 0)
            return false;
        if (Backlog < bulkBytesMax)
            return true;
        // Full fence, as in Sent: either the sender sees `clogged`, or this thread sees the bytes that the sender has
        // sent.
        Interlocked.Exchange(ref clogged, 1);
        return Backlog <= bulkBytesMax / 2 && Interlocked.Exchange(ref clogged, 0) != 0;
    }

    /// <summary>
    /// Writes a header, after which the caller has to write <paramref name="recordsLength"/> bytes. Called by the loop.
    /// </summary>
    /// <returns>False if the frame does not fit, because the peer does not read.</returns>
    public bool TryBegin(in Message message, int recordsLength)
    {
        Invariant.Hold(frameBytesLeft == 0);
        // If all bytes are sent and the sender is parked, start over at the beginning of the ring, which stays in the
        // cache.
        if (written == Volatile.Read(ref sent) && wake.IsWaiting)
            written = flushed = sent = 0;
        if (Backlog + Frame.HeaderSize + recordsLength > ring.Length)
            return false;
        Span<byte> header = stackalloc byte[Frame.HeaderSize];
        Frame.WriteHeader(header, message, recordsLength);
        frameBytesLeft = Frame.HeaderSize + recordsLength;
        Write(header);
        return true;
    }

    /// <summary>Writes bytes for which <see cref="TryBegin"/> has taken room. Called by the loop.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        Invariant.Hold(bytes.Length <= frameBytesLeft);
        Span<byte> free = ring.AsSpan(Offset(written));
        int first = Math.Min(bytes.Length, free.Length);
        bytes[..first].CopyTo(free);
        bytes[first..].CopyTo(ring);
        written += bytes.Length;
        frameBytesLeft -= bytes.Length;
    }

    /// <summary>Lets the sender send all written bytes. Called by the loop.</summary>
    public void Flush()
    {
        Invariant.Hold(frameBytesLeft == 0);
        if (flushed == written)
            return;
        Volatile.Write(ref flushed, written);
        wake.SetHere();
    }

    /// <summary>Closes the ring, from any thread. Bytes that are not sent yet are lost.</summary>
    public void Close()
    {
        closed = true;
        wake.Set();
    }

    /// <summary>
    /// Sends until the ring is closed. When the connection breaks, throws the exception of the stream.
    /// </summary>
    public async Task SendAsync(Stream stream)
    {
        while (!closed)
        {
            ReadOnlyMemory<byte> run = NextRun();
            if (run.IsEmpty)
            {
                await wake.WaitAsync();
                continue;
            }
            await stream.WriteAsync(run);
            Sent(run.Length);
        }
    }

    /// <summary>Bytes that wait to be sent. Called by the loop.</summary>
    public long Backlog => written - Volatile.Read(ref sent);

    private int Offset(long position) => (int)(position & (ring.Length - 1));

    private ReadOnlyMemory<byte> NextRun()
    {
        int offset = Offset(sent);
        long length = Math.Min(Volatile.Read(ref flushed) - sent, Math.Min(ring.Length - offset, RunBytesMax));
        return ring.AsMemory(offset, (int)length);
    }

    private void Sent(int length)
    {
        long now = sent + length;
        Interlocked.Exchange(ref sent, now);
        if (Volatile.Read(ref clogged) == 0 || Volatile.Read(ref flushed) - now > bulkBytesMax / 2)
            return;
        if (Interlocked.Exchange(ref clogged, 0) != 0)
            inbox.Post(drained);
    }
}
