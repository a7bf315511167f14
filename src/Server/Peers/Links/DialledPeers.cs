using RaftFast.Protocol;

namespace RaftFast.Server.Peers.Links;

/// <summary>
/// Decides which peers have a link: begins a link to each member and to each stranger that has dialled this node, keeps
/// it, or ends it. The simulator's network asks the same object. Only the loop calls.
/// </summary>
/// <param name="self">This node's id.</param>
internal sealed class DialledPeers<TLink>(ulong self, IPeerDialler<TLink> dialler)
    where TLink : DialledPeer
{
    private ClusterConfiguration? effective;
    private ClusterConfiguration? committed;
    private volatile TLink[] links = [];

    /// <summary>Links, replaced by a new array at each change. Read on any thread.</summary>
    public TLink[] Links => links;

    /// <summary>Begins, keeps and ends links after a change of the configurations.</summary>
    public void Configure(ClusterConfiguration effective, ClusterConfiguration committed)
    {
        if (ReferenceEquals(committed, this.committed) && ReferenceEquals(effective, this.effective))
            return;
        this.effective = effective;
        this.committed = committed;
        foreach (TLink link in Links)
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
        if (Knows(effective))
        {
            foreach (Member member in effective.Members)
                Dial(member);
        }
        if (!Knows(committed))
            return;
        foreach (Member member in committed.Members)
        {
            if (effective.Find(member.Id) is null)
                Dial(member);
        }
    }

    /// <summary>A peer has dialled this node and announced its address.</summary>
    public void Announced(ulong peer, PeerAddress address)
    {
        if (peer == self || (committed is not null && committed.WasRemoved(peer)))
            return;
        TLink? link = Find(peer);
        if (link is null)
        {
            // A stranger takes no place of a member, and none of a stranger that answers.
            if (Links.Length == PeerOptions.PeersMax && !TryEnd(static link => link.IsStranger && !link.IsConnected))
                return;
            link = Add(peer);
            link.Announce(address);
            dialler.Start(link);
            return;
        }
        link.Announce(address);
    }

    /// <summary>
    /// True if an address of <c>--cluster</c> should be dialled: no link dials the address, while a peer is not
    /// connected. Called on any thread.
    /// </summary>
    public bool NeedsHint(PeerAddress address)
    {
        TLink[] present = links;
        return !Array.Exists(present, link => link.Dials(address))
            && (present.Length == 0 || Array.Exists(present, static link => !link.IsConnected));
    }

    public TLink? Find(ulong peer)
    {
        foreach (TLink link in Links)
        {
            if (link.Peer == peer)
                return link;
        }
        return null;
    }

    /// <summary>
    /// False for a configuration from before this node was added, which a joining node finds in its log. The members in
    /// such a configuration may be gone, and other nodes may have their addresses. The leader dials the joining node,
    /// and is answered.
    /// </summary>
    private bool Knows(ClusterConfiguration configuration) =>
        configuration.Find(self) is not null || configuration.WasRemoved(self);

    private void Dial(Member member)
    {
        if (member.Id == self)
            return;
        TLink? link = Find(member.Id);
        if (link is not null)
        {
            link.Configure(member.Address);
            return;
        }
        // Two configurations at most fill the table. If the table is full now, it holds links of strangers.
        if (Links.Length == PeerOptions.PeersMax && !TryEnd(static link => link.IsStranger && !link.IsConnected))
            Invariant.Hold(TryEnd(static link => link.IsStranger));
        link = Add(member.Id);
        link.Configure(member.Address);
        dialler.Start(link);
    }

    private TLink Add(ulong peer)
    {
        TLink link = dialler.Create(peer);
        links = [.. links, link];
        return link;
    }

    private bool TryEnd(Predicate<TLink> predicate)
    {
        if (Array.Find(Links, predicate) is not { } link)
            return false;
        End(link);
        return true;
    }

    private void End(TLink link)
    {
        links = Array.FindAll(links, other => other != link);
        dialler.End(link);
    }
}

/// <summary>Acts on the decisions of <see cref="DialledPeers{TLink}"/>.</summary>
internal interface IPeerDialler<TLink>
{
    /// <summary>Makes the link to a peer. The peer's address follows, then <see cref="Start"/>.</summary>
    TLink Create(ulong peer);

    void Start(TLink link);

    /// <summary>Ends a link, and all else that is sent to its peer.</summary>
    void End(TLink link);
}
