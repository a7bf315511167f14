using Microsoft.Extensions.Logging;
using RaftFast.Protocol;

namespace RaftFast.Server.Peers;

/// <summary>
/// The way to every other member. The loop need do nothing for a connection but note the events in its inbox
/// (<see cref="PeerConnected"/>, <see cref="PeerLost"/>, <see cref="PeerDrained"/>): a new connection is used from the next call on.
/// </summary>
internal sealed class PeerNetwork : IPeerNetwork, IAsyncDisposable
{
    private readonly PeerLink[] links;
    private readonly PeerLink?[] dirty;
    private readonly CancellationTokenSource stop = new();
    private readonly List<Task> running = [];
    private int dirtyCount;

    /// <param name="randomSeed">Of the jitter between attempts.</param>
    public PeerNetwork(
        ulong self, ClusterConfiguration configuration, Inbox inbox, ILogger logger, PeerOptions options, int randomSeed)
    {
        List<PeerLink> others = [];
        foreach (Member member in configuration.Members)
        {
            if (member.Id != self)
                others.Add(new PeerLink(member, self, configuration.ClusterId, inbox, logger, options, randomSeed + others.Count));
        }
        links = [.. others];
        dirty = new PeerLink?[links.Length];
    }

    /// <summary>Begins to dial every other member, until disposed.</summary>
    public void Start()
    {
        Invariant.Hold(running.Count == 0);
        foreach (PeerLink link in links)
            running.Add(BackgroundTask.Run(() => link.RunAsync(stop.Token)));
    }

    public bool CanSend(ulong peer) => Find(peer) is { CanSend: true };

    public bool Send(in Message message, ReadOnlySpan<byte> records)
    {
        if (!Begin(message, records.Length))
            return false;
        Write(message.To, records);
        return true;
    }

    public bool Begin(in Message message, int recordsLength)
    {
        PeerLink? link = Find(message.To);
        if (link is null || !link.TryBegin(message, recordsLength))
            return false;
        if (dirty.AsSpan(0, dirtyCount).IndexOf(link) < 0)
            dirty[dirtyCount++] = link;
        return true;
    }

    public void Write(ulong peer, ReadOnlySpan<byte> records) => Find(peer)!.Write(records);

    public void Flush()
    {
        for (int i = 0; i < dirtyCount; i++)
            dirty[i]!.Flush();
        dirtyCount = 0;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Task.WhenAll(running);
        stop.Dispose();
    }

    private PeerLink? Find(ulong peer)
    {
        foreach (PeerLink link in links)
        {
            if (link.Peer == peer)
                return link;
        }
        return null;
    }
}
