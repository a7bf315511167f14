using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Peers.Inbound;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Peers.Outbound;
using RaftFast.Server.Peers.Snapshots;
using RaftFast.Server.Threads;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Peers;

/// <summary>
/// The links to all peers. The loop does nothing for a connection except to take the events from its inbox
/// (<see cref="PeerConnected"/>, <see cref="PeerLost"/>, <see cref="PeerDrained"/>). A new connection is used from the
/// next call on.
/// </summary>
/// <param name="identity">This node; its address is the one at which peers dial it.</param>
/// <param name="hasPromised">True if the data directory held promises at the start.</param>
/// <param name="randomSeed">Seed of the jitter between attempts.</param>
internal sealed class PeerNetwork(
    NodeIdentity identity, PeerAcceptor acceptor, SnapshotStore snapshots, Inbox inbox, ILogger logger,
    PeerOptions options, bool hasPromised, int randomSeed)
    : IPeerNetwork, IPeerDialler<PeerLink>, IAsyncDisposable
{
    private readonly Random seeds = new(randomSeed);
    private readonly PeerLink?[] dirty = new PeerLink?[PeerOptions.PeersMax];

    /// <summary>Tasks of the links and snapshots, including those that have ended or are about to end.</summary>
    private readonly List<Task> running = [];

    /// <summary>Snapshots being sent, at most one for each peer.</summary>
    private readonly List<SnapshotSender> sending = [];

    private readonly List<PeerHint> hints = [];

    private DialledPeers<PeerLink>? peers;
    private int dirtyCount;
    private ClusterConfiguration? committed;

    /// <summary>Announcement in each handshake of this node. Set before the loop begins.</summary>
    public Announcement? Announcement { get; set; }

    private DialledPeers<PeerLink> Peers => peers ??= new DialledPeers<PeerLink>(identity.MemberId, this);

    public bool CanSend(ulong peer) => Peers.Find(peer) is { CanSend: true };

    public bool Send(in Message message, ReadOnlySpan<byte> records)
    {
        if (!Begin(message, records.Length))
            return false;
        Write(message.To, records);
        return true;
    }

    public bool Begin(in Message message, int recordsLength)
    {
        PeerLink? link = Peers.Find(message.To);
        if (link is null || !link.TryBegin(message, recordsLength))
            return false;
        if (dirty.AsSpan(0, dirtyCount).IndexOf(link) < 0)
            dirty[dirtyCount++] = link;
        return true;
    }

    public void Write(ulong peer, ReadOnlySpan<byte> records) => Peers.Find(peer)!.Write(records);

    public bool SendSnapshot(ulong peer, long term)
    {
        sending.RemoveAll(static snapshot => snapshot.IsOver);
        foreach (SnapshotSender snapshot in sending)
        {
            if (snapshot.Peer != peer)
                continue;
            // The loop learns of the end of this transfer before it begins another. A transfer that was begun in an
            // earlier term is as useful, and continues.
            bool isContinued = snapshot.Term != term;
            snapshot.Term = term;
            return isContinued;
        }
        if (snapshots.Files.Count == 0 || Peers.Find(peer) is not { IsConnected: true } link)
            return false;
        Handshake handshake = HandshakeTo(peer) with { Kind = ConnectionKind.Snapshot };
        SnapshotSender begun = new(
            AddressOf(link), handshake, term, snapshots.Files[0].Index, snapshots, inbox, logger, options);
        sending.Add(begun);
        Run(BackgroundTask.RunOnThread(ThreadNames.SendSnapshot(peer), begun.Run));
        return true;
    }

    public long OldestSnapshotBeingSent
    {
        get
        {
            long oldest = long.MaxValue;
            foreach (SnapshotSender snapshot in sending)
                oldest = snapshot.IsOver ? oldest : Math.Min(oldest, snapshot.Index);
            return oldest;
        }
    }

    /// <summary>The connections to all peers. Loop thread. Allocates.</summary>
    public List<PeerReport> Report()
    {
        List<PeerReport> reports = [];
        foreach (PeerLink link in Peers.Links)
        {
            SnapshotSender? snapshot = sending.Find(sender => sender.Peer == link.Peer && !sender.IsOver);
            reports.Add(new PeerReport(
                link.Peer, link.IsConnected, link.WaitingBytes, options.SendBytesMax,
                acceptor.BufferBytesOf(link.Peer), snapshot?.Index ?? 0, snapshot?.BytesSent ?? 0));
        }
        return reports;
    }

    public void Flush()
    {
        foreach (PeerLink? link in dirty.AsSpan(0, dirtyCount))
            link!.Flush();
        // Cleared, so that the array does not keep the ring of a link that ends.
        dirty.AsSpan(0, dirtyCount).Clear();
        dirtyCount = 0;
    }

    public void Configure(ClusterConfiguration effective, ClusterConfiguration committed)
    {
        if (!ReferenceEquals(committed, this.committed))
            acceptor.Update(committed);
        this.committed = committed;
        Peers.Configure(effective, committed);
    }

    /// <summary>
    /// Looks for a member at this address too, whatever the log says. Called before the loop begins.
    /// </summary>
    public void Hint(PeerAddress address)
    {
        if (address == identity.Address)
            return;
        Handshake handshake = HandshakeTo(0) with { Kind = ConnectionKind.Hint };
        PeerHint hint = new(new HintedAddress(address, options), handshake, Peers.NeedsHint, logger, options);
        hints.Add(hint);
        Run(BackgroundTask.Run(hint.RunAsync));
    }

    public void Announced(ulong peer, PeerAddress address) => Peers.Announced(peer, address);

    PeerLink IPeerDialler<PeerLink>.Create(ulong peer) =>
        new(HandshakeTo(peer), inbox, logger, options, seeds.Next());

    void IPeerDialler<PeerLink>.Start(PeerLink link) => Run(BackgroundTask.Run(link.RunAsync));

    void IPeerDialler<PeerLink>.End(PeerLink link)
    {
        link.Stop();
        foreach (SnapshotSender snapshot in sending)
        {
            if (snapshot.Peer == link.Peer)
                snapshot.Stop();
        }
    }

    /// <summary>Ends all links and snapshots, after the loop has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (PeerLink link in Peers.Links)
            link.Stop();
        foreach (PeerHint hint in hints)
            hint.Stop();
        foreach (SnapshotSender snapshot in sending)
            snapshot.Stop();
        await Task.WhenAll(running);
    }

    /// <summary>A method of its own, so that only a snapshot that begins allocates the closure.</summary>
    private static Func<PeerAddress> AddressOf(PeerLink link) => () => link.Address;

    private Handshake HandshakeTo(ulong peer) =>
        new(identity.Configuration.ClusterId, identity.MemberId, peer, identity.Directory, identity.Address)
        {
            HasPromised = hasPromised,
            Announced = Announcement,
        };

    private void Run(Task task)
    {
        running.RemoveAll(static task => task.IsCompleted);
        running.Add(task);
    }
}
