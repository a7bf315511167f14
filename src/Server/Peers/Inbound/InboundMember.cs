using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Inbound;

/// <summary>
/// What is kept for one member that dials this server, whichever of its connections is the present one: the two batches, so that
/// the loop has one while the next fills, and a member costs no more however often it reconnects.
/// </summary>
internal sealed class InboundMember
{
    private readonly Lock gate = new();
    private readonly Lazy<(PeerBatch, PeerBatch)> batches;
    private InboundConnection? current;
    private bool hasEnded;

    public InboundMember(ulong id, PeerOptions options)
    {
        Id = id;
        Introduced = new PeerAnnounced(id);
        batches = new Lazy<(PeerBatch, PeerBatch)>(() => (
            new PeerBatch(id, options.ReceiveBytesMin, Wake), new PeerBatch(id, options.ReceiveBytesMin, Wake)));
    }

    public ulong Id { get; }

    public PeerAnnounced Introduced { get; }

    /// <summary>Set when a batch was released or the present connection has to end.</summary>
    public WakeSignal Wake { get; } = new();

    /// <summary>A newer connection replaces the older one. Returns when the older has ended, so that batches stay in order.</summary>
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

    /// <summary>Ends its present connection at once, and any that still comes.</summary>
    public void End()
    {
        lock (gate)
        {
            hasEnded = true;
            current?.End();
        }
    }

    /// <summary>The present connection only: a batch to fill, or null.</summary>
    public PeerBatch? TryTakeBatch()
    {
        (PeerBatch first, PeerBatch second) = batches.Value;
        return first.TryTake() ? first : second.TryTake() ? second : null;
    }
}
