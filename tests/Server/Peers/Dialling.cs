using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Inbound;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Tests.Peers;

/// <summary>The dialling side of member 1. Members 2 and 3 listen at the given ports.</summary>
internal sealed class Dialling : IAsyncDisposable
{
    private readonly TemporaryDirectory directory = new();

    /// <param name="port2">Port of member 2; 0 if member 1 is alone.</param>
    public Dialling(int port2 = 0, int port3 = 0, PeerOptions? options = null)
    {
        options ??= Fast;
        Inbox = new Inbox(PeerOptions.InboxItemsPerPeer * PeerOptions.PeersMax);
        Reader = new InboxReader(Inbox);
        NodeIdentity identity = TestHandshakes.Identity(1);
        FileDisk disk = new(directory.Location, DiskWriteMode.Buffered);
        Snapshots = SnapshotStore.Open(disk, Node.ClusterId);
        PeerAdmission admission = new(identity, MetDirectories.Open(disk), TimeProvider.System, Log);
        Acceptance acceptance = new(hasPromised: true);
        Acceptor = new PeerAcceptor(admission, acceptance, Snapshots, Inbox, Log, options);
        Network = new PeerNetwork(identity, Acceptor, Snapshots, Inbox, Log, options, hasPromised: true, randomSeed: 1);
        Configure(Cluster([2, 3], [port2, port3]));
    }

    public static PeerOptions Fast => new()
    {
        BackoffMin = TimeSpan.FromMilliseconds(1),
        BackoffMax = TimeSpan.FromMilliseconds(10),
        SnapshotRetryPause = TimeSpan.FromMilliseconds(1),
        SnapshotBusyPause = TimeSpan.FromMilliseconds(1),
    };

    public string Location => directory.Location;

    public SnapshotStore Snapshots { get; }

    public Inbox Inbox { get; }

    public InboxReader Reader { get; }

    public RecordedLog Log { get; } = new();

    public PeerAcceptor Acceptor { get; }

    public PeerNetwork Network { get; }

    /// <summary>Cluster of member 1 and the others that have a port.</summary>
    public static ClusterConfiguration Cluster(
        ReadOnlySpan<ulong> others, ReadOnlySpan<int> ports, ulong[]? removed = null)
    {
        List<Member> members = [new(1, TestHandshakes.AddressOf(1))];
        for (int i = 0; i < others.Length; i++)
        {
            if (ports[i] != 0)
                members.Add(new Member(others[i], new PeerAddress("127.0.0.1", ports[i])));
        }
        return new ClusterConfiguration(Node.ClusterId, [.. members], removed);
    }

    public void Configure(ClusterConfiguration committed) => Network.Configure(committed, committed);

    public async ValueTask DisposeAsync()
    {
        await Network.DisposeAsync();
        directory.Dispose();
    }
}
