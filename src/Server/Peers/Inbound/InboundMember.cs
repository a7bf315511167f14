using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Inbound;

/// <summary>
/// State for one peer that dials this node, kept from one connection to the next, so that reconnecting costs no further
/// memory. The loop has one of the two batches while the other fills.
/// </summary>
internal sealed class InboundMember
{
    private readonly Lock gate = new();
    private readonly Lazy<(PeerBatch, PeerBatch)> batches;
    private Announcement? forOperators;
    private InboundConnection? current;
    private bool hasEnded;

    public InboundMember(ulong id, PeerOptions options)
    {
        Id = id;
        Announced = new PeerAnnounced(id);
        AnswersLost = new PeerAnswersLost(id, Wake);
        batches = new Lazy<(PeerBatch, PeerBatch)>(() => (
            new PeerBatch(id, options.ReceiveBytesMin, Wake), new PeerBatch(id, options.ReceiveBytesMin, Wake)));
    }

    public ulong Id { get; }

    public PeerAnnounced Announced { get; }

    /// <summary>The peer's last announcement for operators; null if there was none. Any thread.</summary>
    public Announcement? ForOperators
    {
        get => Volatile.Read(ref forOperators);
        set => Volatile.Write(ref forOperators, value);
    }

    public PeerAnswersLost AnswersLost { get; }

    /// <summary>
    /// Signal that is set when a batch is released, when the loop has taken <see cref="AnswersLost"/>, or when the
    /// current connection has to end.
    /// </summary>
    public WakeSignal Wake { get; } = new();

    /// <summary>Bytes of the two buffers; 0 before the first frame.</summary>
    public long BufferBytes => batches.IsValueCreated
        ? batches.Value.Item1.Buffer.LongLength + batches.Value.Item2.Buffer.LongLength
        : 0;

    /// <summary>
    /// Replaces the older connection by a newer one. Returns when the older one has ended, so that batches stay in
    /// order.
    /// </summary>
    public async Task ReplaceAsync(InboundConnection connection)
    {
        InboundConnection? older;
        lock (gate)
        {
            older = current;
            current = connection;
            if (hasEnded)
                connection.End();
        }
        if (older is null)
            return;
        older.End();
        await older.Ended;
    }

    /// <summary>Ends the current connection, and every later one, at once.</summary>
    public void End()
    {
        lock (gate)
        {
            hasEnded = true;
            current?.End();
        }
    }

    /// <summary>
    /// Takes a batch to fill; returns null if both are taken. Only the current connection calls this.
    /// </summary>
    public PeerBatch? TryTakeBatch()
    {
        (PeerBatch first, PeerBatch second) = batches.Value;
        return first.TryTake() ? first : second.TryTake() ? second : null;
    }
}
