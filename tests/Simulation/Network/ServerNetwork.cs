using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Simulation.Disk;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Network;

/// <summary>The network as one server sees it. Every message passes the invariants first.</summary>
internal sealed class ServerNetwork(SimulatedServer server, Cluster cluster) : IPeerNetwork
{
    private readonly SimulatedNetwork network = cluster.Network;
    private readonly int self = server.Number;
    private readonly List<byte> begun = [];
    private Message begunMessage;
    private int begunLength;

    /// <summary>
    /// Addresses of the peers by configuration, and as the peers announced them. A peer is dialled at both.
    /// </summary>
    private readonly SortedList<ulong, PeerAddress> addresses = [];
    private readonly SortedList<ulong, PeerAddress> announced = [];
    private ClusterConfiguration? configured;

    public bool CanSend(ulong peer) => network.Link(self, Number(peer)) is { IsConnected: true, IsClogged: false };

    public bool Send(in Message message, ReadOnlySpan<byte> records)
    {
        if (!network.Link(self, Number(message.To)).IsConnected)
            return false;
        cluster.OnSaying(self, message);
        server.Sends++;
        cluster.OnSend(server, CrashMoment.Before);
        network.Send(self, Number(message.To), message, records);
        cluster.OnSend(server, CrashMoment.After);
        return true;
    }

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
        foreach (Member member in effective.Members)
        {
            bool isNews = configured?.Find(member.Id)?.Address != member.Address;
            if (member.Id != server.Id && (isNews || !addresses.ContainsKey(member.Id)))
                Dial(member.Id, member.Address);
        }
        foreach (Member member in committed.Members)
        {
            if (member.Id != server.Id && !addresses.ContainsKey(member.Id))
                Dial(member.Id, member.Address);
        }
        // As PeerNetwork does: a member that only a truncated configuration named is a stranger from now on.
        foreach (Member member in configured?.Members ?? [])
        {
            bool isMember = effective.Find(member.Id) is not null || committed.Find(member.Id) is not null;
            if (!isMember && addresses.Remove(member.Id, out PeerAddress? address))
                announced.TryAdd(member.Id, address);
        }
        server.Admission!.Update(committed);
        foreach (ulong removed in committed.RemovedIds)
        {
            Drop(removed);
            if (removed != server.Id)
                cluster.Connections.Disconnect(Number(removed), self);
        }
        configured = effective;
    }

    public bool SendSnapshot(ulong peer, long term) =>
        cluster.SnapshotTransfers.Begin(server, cluster.Servers[Number(peer)], term);

    public long OldestSnapshotBeingSent => cluster.SnapshotTransfers.OldestFrom(server);

    public void Announced(ulong peer, PeerAddress address)
    {
        if (Dials(Number(peer), address))
            return;
        announced[peer] = address;
        cluster.Connections.Dial(self, Number(peer));
    }

    /// <summary>True if this server, while not connected to the peer, dials this address too.</summary>
    public bool Dials(int peer, PeerAddress address) =>
        addresses.GetValueOrDefault((ulong)peer + 1) == address
        || announced.GetValueOrDefault((ulong)peer + 1) == address;

    private void Dial(ulong peer, PeerAddress address)
    {
        addresses[peer] = address;
        cluster.Connections.Dial(self, Number(peer));
    }

    private void Drop(ulong peer)
    {
        if (addresses.Remove(peer) | announced.Remove(peer))
            cluster.Connections.Disconnect(self, Number(peer));
    }

    private static int Number(ulong id) => (int)id - 1;
}
