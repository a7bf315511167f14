using RaftFast.Protocol;
using RaftFast.Server.Peers;

namespace RaftFast.Simulation.Network;

/// <summary>The network as one server sees it; everything it says passes the invariants first.</summary>
internal sealed class ServerNetwork(int self, SimulatedNetwork network, Action<Message> saying) : IPeerNetwork
{
    private readonly List<byte> begun = [];
    private Message begunMessage;
    private int begunLength;

    public bool CanSend(ulong peer) => network.Link(self, Number(peer)) is { IsConnected: true, IsClogged: false };

    public bool Send(in Message message, ReadOnlySpan<byte> records)
    {
        if (!network.Link(self, Number(message.To)).IsConnected)
            return false;
        saying(message);
        network.Send(self, Number(message.To), message, records);
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
