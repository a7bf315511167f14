using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Inbound;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Sockets;
using RaftFast.Server.Threads;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Tests.Peers;

/// <summary>The accepting side of one node.</summary>
internal sealed class Node : IAsyncDisposable
{
    public const ulong ClusterId = 0xC1u;

    private readonly TemporaryDirectory? own;
    private readonly Listener listener;

    /// <param name="directory">Directory that outlives the node; null for a temporary one.</param>
    public Node(
        ulong id = 1, ulong clusterId = ClusterId, PeerOptions? options = null, int port = 0, string? directory = null,
        bool hasPromised = true)
    {
        Acceptance = new Acceptance(hasPromised);
        own = directory is null ? new TemporaryDirectory() : null;
        Location = directory ?? own!.Location;
        Inbox = new Inbox(64);
        Reader = new InboxReader(Inbox);
        Hanging = new HangingDisk(new FileDisk(Location, DiskWriteMode.Buffered));
        Disk = new FullDisk(Hanging) { IsFull = false };
        Snapshots = SnapshotStore.Open(Disk, clusterId);
        PeerAdmission admission = new(
            TestHandshakes.Identity(id, clusterId), MetDirectories.Open(Disk), TimeProvider.System, Log);
        Acceptor = new PeerAcceptor(admission, Acceptance, Snapshots, Inbox, Log, options ?? new PeerOptions());
        SocketListener bound = Listeners.BindPeer(new IPEndPoint(IPAddress.Loopback, port), NullLogger.Instance);
        listener = new Listener(bound, Acceptor, connectionsMax: 16, Log);
    }

    public string Location { get; }

    public FullDisk Disk { get; }

    public HangingDisk Hanging { get; }

    public SnapshotStore Snapshots { get; }

    public Inbox Inbox { get; }

    public InboxReader Reader { get; }

    public RecordedLog Log { get; } = new();

    /// <summary>
    /// Members from which the node takes messages: all, because its directory held promises, unless a test says
    /// otherwise.
    /// </summary>
    public Acceptance Acceptance { get; }

    public PeerAcceptor Acceptor { get; }

    public int Port => listener.EndPoint.Port;

    public PeerAddress Address => new("127.0.0.1", Port);

    public async ValueTask DisposeAsync()
    {
        await listener.StopAsync(new CancellationToken(canceled: true));
        own?.Dispose();
    }
}
