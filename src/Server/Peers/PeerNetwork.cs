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
/// The way to every other server. The loop need do nothing for a connection but note the events in its inbox
/// (<see cref="PeerConnected"/>, <see cref="PeerLost"/>, <see cref="PeerDrained"/>): a new connection is used from the next call on.
/// </summary>
/// <param name="identity">Its address is where this server is to be dialled.</param>
/// <param name="randomSeed">Of the jitter between attempts.</param>
internal sealed class PeerNetwork(
    NodeIdentity identity, PeerAcceptor acceptor, SnapshotStore snapshots, Inbox inbox, ILogger logger, PeerOptions options, int randomSeed)
    : IPeerNetwork, IAsyncDisposable
{
    private readonly Random seeds = new(randomSeed);
    private readonly PeerLink?[] dirty = new PeerLink?[PeerOptions.PeersMax];

    /// <summary>Of the links and snapshots, and of those that have ended or are about to.</summary>
    private readonly List<Task> running = [];

    /// <summary>One a peer.</summary>
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
            // The loop hears of its end before it begins another.
            if (snapshot.Term != term)
                snapshot.Stop();
            return false;
        }
        if (snapshots.Files.Count == 0 || Find(peer) is not { IsConnected: true } link)
            return false;
        Handshake handshake = HandshakeTo(peer) with { Kind = ConnectionKind.Snapshot };
        SnapshotSender begun = new(link, handshake, term, snapshots.Files[0].Index, snapshots, inbox, logger, options);
        sending.Add(begun);
        Run(BackgroundTask.RunOnThread($"raftfast-send-{peer}", begun.Run));
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
        // A link that ends leaves nothing behind here that would keep its ring.
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
            // A stranger's stays: it may be the leader of a log that is still on its way.
            if (committed.WasRemoved(link.Peer) || (!link.IsStranger && !isMember))
                End(link);
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
            link.Introduce(address);
        else if (links.Length < PeerOptions.PeersMax)
            Start(Begin(peer, address));
    }

    /// <summary>The loop has ended.</summary>
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
            // Two configurations fill the table at most: if it is full now, some of it is strangers'.
            if (links.Length == PeerOptions.PeersMax)
                End(Array.Find(links, static link => link.IsStranger)!);
            link = Begin(member.Id, introduced: null);
            link.Configure(member.Address);
            Start(link);
        }
        link.Configure(member.Address);
    }

    private PeerLink Begin(ulong peer, PeerAddress? introduced)
    {
        PeerLink link = new(introduced, HandshakeTo(peer), inbox, logger, options, seeds.Next());
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
