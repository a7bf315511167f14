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
/// <param name="randomSeed">Seed of the jitter between attempts.</param>
internal sealed class PeerNetwork(
    NodeIdentity identity, PeerAcceptor acceptor, SnapshotStore snapshots, Inbox inbox, ILogger logger,
    PeerOptions options, int randomSeed)
    : IPeerNetwork, IAsyncDisposable
{
    private readonly Random seeds = new(randomSeed);
    private readonly PeerLink?[] dirty = new PeerLink?[PeerOptions.PeersMax];

    /// <summary>Tasks of the links and snapshots, including those that have ended or are about to end.</summary>
    private readonly List<Task> running = [];

    /// <summary>Snapshots being sent, at most one for each peer.</summary>
    private readonly List<SnapshotSender> sending = [];

    private PeerLink[] links = [];
    private int dirtyCount;
    private ClusterConfiguration? effective;
    private ClusterConfiguration? committed;

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

    public bool SendSnapshot(ulong peer, long term)
    {
        sending.RemoveAll(static snapshot => snapshot.IsOver);
        foreach (SnapshotSender snapshot in sending)
        {
            if (snapshot.Peer != peer)
                continue;
            // The loop learns of the end of this one before it begins another. A snapshot that was begun in an earlier
            // term is as good, and continues.
            bool isContinued = snapshot.Term != term;
            snapshot.Term = term;
            return isContinued;
        }
        if (snapshots.Files.Count == 0 || Find(peer) is not { IsConnected: true } link)
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
        bool isCommittedNew = !ReferenceEquals(committed, this.committed);
        if (!isCommittedNew && ReferenceEquals(effective, this.effective))
            return;
        this.effective = effective;
        this.committed = committed;
        if (isCommittedNew)
            acceptor.Update(committed);
        foreach (PeerLink link in links)
        {
            bool isMember = effective.Find(link.Peer) is not null || committed.Find(link.Peer) is not null;
            // Only a committed removal ends a link. A stranger may be the leader whose log is still on its way to this
            // node. A member that only a truncated configuration named may be that leader, too: without a link this
            // node could hear that leader and never answer it.
            if (committed.WasRemoved(link.Peer))
                End(link);
            else if (!isMember)
                link.Forget();
        }
        foreach (Member member in effective.Members)
            Dial(member);
        foreach (Member member in committed.Members)
        {
            if (effective.Find(member.Id) is null)
                Dial(member);
        }
    }

    public void Announced(ulong peer, PeerAddress address)
    {
        if (peer == identity.MemberId || (committed is not null && committed.WasRemoved(peer)))
            return;
        if (Find(peer) is { } link)
            link.Announce(address);
        else if (links.Length < PeerOptions.PeersMax)
            Start(Begin(peer, address));
    }

    /// <summary>Ends all links and snapshots, after the loop has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (PeerLink link in links)
            link.Stop();
        foreach (SnapshotSender snapshot in sending)
            snapshot.Stop();
        await Task.WhenAll(running);
    }

    private void Dial(Member member)
    {
        if (member.Id == identity.MemberId)
            return;
        PeerLink? link = Find(member.Id);
        if (link is null)
        {
            // Two configurations at most fill the table. If the table is full now, it holds links of strangers.
            if (links.Length == PeerOptions.PeersMax)
                End(Array.Find(links, static link => link.IsStranger)!);
            link = Begin(member.Id, announced: null);
            link.Configure(member.Address);
            Start(link);
        }
        link.Configure(member.Address);
    }

    /// <summary>A method of its own, so that only a snapshot that begins allocates the closure.</summary>
    private static Func<PeerAddress> AddressOf(PeerLink link) => () => link.Address;

    private PeerLink Begin(ulong peer, PeerAddress? announced)
    {
        PeerLink link = new(announced, HandshakeTo(peer), inbox, logger, options, seeds.Next());
        links = [.. links, link];
        return link;
    }

    private void Start(PeerLink link) => Run(BackgroundTask.Run(link.RunAsync));

    private Handshake HandshakeTo(ulong peer) =>
        new(identity.Configuration.ClusterId, identity.MemberId, peer, identity.Directory, identity.Address);

    private void Run(Task task)
    {
        running.RemoveAll(static task => task.IsCompleted);
        running.Add(task);
    }

    private void End(PeerLink link)
    {
        link.Stop();
        foreach (SnapshotSender snapshot in sending)
        {
            if (snapshot.Peer == link.Peer)
                snapshot.Stop();
        }
        links = Array.FindAll(links, other => other != link);
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
