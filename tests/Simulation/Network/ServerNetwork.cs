using RaftFast.Protocol;
using RaftFast.Server.Peers;
using RaftFast.Simulation.Disk;

namespace RaftFast.Simulation.Network;

/// <summary>The network as one server sees it; everything it says passes the invariants first.</summary>
internal sealed class ServerNetwork(SimulatedServer server, Cluster cluster) : IPeerNetwork
{
    private readonly SimulatedNetwork network = cluster.Network;
    private readonly int self = server.Number;
    private readonly List<byte> begun = [];
    private Message begunMessage;
    private int begunLength;

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

    private static int Number(ulong id) => (int)id - 1;
}
