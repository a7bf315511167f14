using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Peers.Links;
using RaftFast.Simulation.Disk;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Invariants;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Network;

/// <summary>The network as one server sees it. Every message passes the invariants first.</summary>
internal sealed class ServerNetwork(SimulatedServer server, Cluster cluster)
    : IPeerNetwork, IPeerDialler<SimulatedPeerLink>
{
    private readonly SimulatedNetwork network = cluster.Network;
    private readonly int self = server.Number;
    private readonly long[] appends = new long[cluster.Servers.Count];
    private readonly List<byte> begun = [];
    private Message begunMessage;
    private int begunLength;

    private readonly List<SimulatedHint> hints = [];

    private DialledPeers<SimulatedPeerLink>? peers;

    /// <summary>Decides which peers and addresses to dial, as in PeerNetwork.</summary>
    private DialledPeers<SimulatedPeerLink> Peers => peers ??= new DialledPeers<SimulatedPeerLink>(server.Id, this);

    public bool CanSend(ulong peer) => network.Link(self, Number(peer)) is { IsConnected: true, IsClogged: false };

    public bool Send(in Message message, ReadOnlySpan<byte> records)
    {
        SimulatedLink link = network.Link(self, Number(message.To));
        if (link.BreaksAtAnswer && LostAnswers.IsAnswer(message.Type))
        {
            link.BreaksAtAnswer = false;
            cluster.Connections.Disconnect(self, Number(message.To));
        }
        if (!link.IsOpen || !link.IsConnected)
            // If the link is open, the dialler does not know its new connection yet: the message is lost before that
            // connection.
            cluster.LostAnswers.Add(self, Number(message.To), link.IsOpen ? link.Epoch - 1 : link.Epoch, message);
        if (!link.IsConnected)
            return false;
        if (message.Type == MessageType.Append)
        {
            appends[Number(message.To)]++;
            LastAppendTerm = message.Term;
        }
        cluster.OnSaying(self, message);
        server.Sends++;
        cluster.OnSend(server, CrashMoment.Before);
        network.Send(self, Number(message.To), message, records);
        cluster.OnSend(server, CrashMoment.After);
        return true;
    }

    /// <summary>Number of appends that were written to this peer.</summary>
    public long AppendsTo(ulong peer) => appends[Number(peer)];

    /// <summary>Term of the last append that was written to any peer.</summary>
    public long LastAppendTerm { get; private set; }

    public bool Begin(in Message message, int recordsLength)
    {
        if (!network.Link(self, Number(message.To)).IsConnected)
            return false;
        begunMessage = message;
        begunLength = recordsLength;
        begun.Clear();
        return true;
    }

    public void Write(ulong peer, ReadOnlySpan<byte> records)
    {
        Invariant.Hold(peer == begunMessage.To);
        begun.AddRange(records);
        if (begun.Count == begunLength)
            Send(begunMessage, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(begun));
    }

    public void Flush()
    {
    }

    public void Configure(ClusterConfiguration effective, ClusterConfiguration committed)
    {
        server.Admission!.Update(committed);
        Peers.Configure(effective, committed);
        foreach (ulong removed in committed.RemovedIds)
        {
            if (removed != server.Id)
                cluster.Connections.Disconnect(Number(removed), self);
        }
    }

    public bool SendSnapshot(ulong peer, long term) =>
        cluster.SnapshotTransfers.Begin(server, cluster.Servers[Number(peer)], term);

    public long OldestSnapshotBeingSent => cluster.SnapshotTransfers.OldestFrom(server);

    public void Announced(ulong peer, PeerAddress address) => Peers.Announced(peer, address);

    /// <summary>True if this server, while not connected to the peer, dials this address too.</summary>
    public bool Dials(int peer, PeerAddress address) => Peers.Find((ulong)peer + 1)?.Dials(address) ?? false;

    /// <summary>An attempt to dial is due.</summary>
    /// <param name="argument">Number of the attempt, and of the peer.</param>
    public void Attempt(long argument) => Peers.Find((ulong)(argument % 256) + 1)?.Attempt((int)(argument / 256));

    /// <summary>Looks for members at these addresses too, as PeerNetwork does with the URLs of --cluster.</summary>
    public void Hint(IReadOnlyList<PeerAddress> addresses, ServerProcess process)
    {
        foreach (PeerAddress address in addresses)
        {
            if (address == server.Identity.Address)
                continue;
            hints.Add(new SimulatedHint(address, server, cluster));
            LookAtHint(hints.Count - 1, process);
        }
    }

    /// <summary>A look at a hint is due.</summary>
    public void LookAtHint(long number, ServerProcess process) =>
        process.Schedule(hints[(int)number].Look(Peers), EventKind.Hint, number);

    public void ConnectionLost(int peer) => Peers.Find((ulong)peer + 1)?.Lost();

    SimulatedPeerLink IPeerDialler<SimulatedPeerLink>.Create(ulong peer) => new(peer, server, cluster);

    void IPeerDialler<SimulatedPeerLink>.Start(SimulatedPeerLink link)
    {
    }

    void IPeerDialler<SimulatedPeerLink>.End(SimulatedPeerLink link) => link.Stop();

    private static int Number(ulong id) => (int)id - 1;
}
