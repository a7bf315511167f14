using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;

namespace RaftFast.Server.Tests.Peers.Links;

/// <summary>Links that node 4 begins, keeps and ends, without sockets.</summary>
public sealed class DialledPeersTests : IPeerDialler<DialledPeersTests.Link>
{
    private static readonly ClusterConfiguration Nobody = new(1, []);

    private readonly DialledPeers<Link> peers;
    private readonly List<ulong> ended = [];

    public DialledPeersTests()
    {
        peers = new DialledPeers<Link>(self: 4, this);
        peers.Configure(Nobody, Nobody);
    }

    [Fact]
    public void Configuration_from_before_this_node_was_added_dials_nobody()
    {
        // A joining node finds old configurations in its log. Their members may be gone, and other nodes may listen at
        // their addresses.
        peers.Announced(3, AddressOf(3));
        for (ulong former = 5; former < 8; former++)
        {
            ClusterConfiguration past = Cluster(former, former + 1);
            peers.Configure(past, Nobody);
            peers.Configure(past, past);
        }
        Assert.Equal([3ul], Dialled());
        peers.Configure(Cluster(1, 2, 3, 4), Nobody);
        Assert.Equal([1ul, 2, 3], Dialled());
    }

    [Fact]
    public void Node_that_an_uncommitted_configuration_removes_dials_the_members() // thesis §4.2.2
    {
        peers.Configure(Cluster([1, 2, 3], removed: [4]), Nobody);
        Assert.Equal([1ul, 2, 3], Dialled());
    }

    [Fact]
    public void Leader_that_only_a_truncated_configuration_named_keeps_its_link()
    {
        peers.Configure(Cluster(1, 2, 3, 4), Nobody);
        peers.Configure(Cluster(1, 2, 3, 4, 5), Cluster(1, 2, 3, 4));
        Link leader = peers.Find(5)!;
        leader.Connected = true;
        peers.Configure(Cluster(1, 2, 3, 4), Cluster(1, 2, 3, 4));
        Assert.Same(leader, peers.Find(5));
        Assert.True(leader.IsStranger);
        Assert.Equal(AddressOf(5), leader.Dial());
        Assert.Empty(ended);
    }

    [Fact]
    public void Committed_removal_ends_the_link()
    {
        peers.Configure(Cluster(1, 2, 3, 4), Nobody);
        peers.Configure(Cluster([1, 2, 4], removed: [3]), Cluster(1, 2, 3, 4));
        Assert.Empty(ended);
        peers.Configure(Cluster([1, 2, 4], removed: [3]), Cluster([1, 2, 4], removed: [3]));
        Assert.Equal([3ul], ended);
        peers.Announced(3, AddressOf(3));
        Assert.Equal([1ul, 2], Dialled());
    }

    [Fact]
    public void Stranger_takes_only_the_place_of_one_that_is_not_connected()
    {
        for (ulong id = 100; id < 100 + PeerOptions.PeersMax; id++)
            peers.Announced(id, AddressOf(id));
        foreach (Link link in peers.Links)
            link.Connected = link.Peer != 150;
        peers.Announced(1000, AddressOf(1000));
        Assert.Equal([150ul], ended);
        peers.Find(1000)!.Connected = true;
        peers.Announced(1001, AddressOf(1001));
        Assert.Null(peers.Find(1001));
        // A member takes the place of any stranger.
        peers.Configure(Cluster(1, 4), Nobody);
        Assert.NotNull(peers.Find(1));
        Assert.Equal(PeerOptions.PeersMax, peers.Links.Length);
    }

    [Fact]
    public void Configured_and_announced_address_are_dialled_in_turn()
    {
        peers.Configure(Cluster(1, 4), Nobody);
        Link link = peers.Find(1)!;
        Assert.Equal(AddressOf(1), link.Dial());
        peers.Announced(1, AddressOf(10));
        Assert.Equal([AddressOf(10), AddressOf(1), AddressOf(10)], new[] { link.Dial(), link.Dial(), link.Dial() });
    }

    Link IPeerDialler<Link>.Create(ulong peer) => new(peer);

    void IPeerDialler<Link>.Start(Link link) => Assert.NotNull(link.Address);

    void IPeerDialler<Link>.End(Link link) => ended.Add(link.Peer);

    private static PeerAddress AddressOf(ulong id) => new("127.0.0.1", (int)id);

    private static ClusterConfiguration Cluster(params ulong[] ids) => Cluster(ids, removed: null);

    private static ClusterConfiguration Cluster(ulong[] ids, ulong[]? removed) =>
        new(1, Array.ConvertAll(ids, id => new Member(id, AddressOf(id))), removed);

    private IEnumerable<ulong> Dialled() => peers.Links.Select(link => link.Peer).Order();

    internal sealed class Link(ulong peer) : DialledPeer(peer)
    {
        public bool Connected { get; set; }

        public override bool IsConnected => Connected;

        public PeerAddress Dial() => NextDestination();

        public override void Stop()
        {
        }

        protected override void Redial() => ForgetAttempts();

        protected override void Wake()
        {
        }
    }
}
