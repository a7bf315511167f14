using RaftFast.Protocol;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Network;

/// <summary>Opens and breaks the connections between servers, and delivers their frames.</summary>
internal sealed class Connections(Cluster cluster, int servers, SeededRandom random)
{
    private readonly bool[,] hasMet = new bool[servers, servers];

    /// <summary>Microseconds from the decision to dial until the handshake.</summary>
    public long DialDelay() => random.Between(100, 20_000);

    public long Jitter(long max) => random.Between(0, max);

    /// <summary>Opens a connection if a server listens at the address and accepts the handshake.</summary>
    /// <returns>The answer to the handshake; null without an answer.</returns>
    public HandshakeStatus? Connect(int from, int to, PeerAddress address)
    {
        SimulatedServer dialler = cluster.Servers[from];
        SimulatedServer dialled = cluster.Servers[to];
        SimulatedLink link = cluster.Network.Link(from, to);
        if (link.IsCut || !dialled.IsUp || dialled.Identity.Address != address)
            return null;
        if (dialled.Admit(dialler, ConnectionKind.Messages) is not { } status)
            return null;
        if (status != HandshakeStatus.Accepted)
        {
            dialler.Deliver(new Input(InputKind.Refused) { Peer = dialled.Id, Status = status });
            return status;
        }
        link.IsConnected = true;
        hasMet[to, from] |= dialler.IsOnRightVolume;
        dialler.Deliver(new Input(InputKind.Connected) { Peer = dialled.Id });
        dialled.Deliver(new Input(InputKind.Announced) { Peer = dialler.Id, Address = dialler.Identity.Address });
        return status;
    }

    /// <summary>
    /// Dials an address of <c>--cluster</c>. The server that listens there learns who dialled, and from where.
    /// </summary>
    /// <returns>The answer to the handshake; null without an answer.</returns>
    public HandshakeStatus? Hint(SimulatedServer dialler, PeerAddress address)
    {
        foreach (SimulatedServer dialled in cluster.Servers)
        {
            if (!dialled.IsUp || dialled.Identity.Address != address
                || cluster.Network.Link(dialler.Number, dialled.Number).IsCut)
                continue;
            HandshakeStatus? status = dialled.Admit(dialler, ConnectionKind.Hint);
            if (status == HandshakeStatus.Accepted)
            {
                cluster.Counters[Counter.HintsFollowed]++;
                hasMet[dialled.Number, dialler.Number] |= dialler.IsOnRightVolume;
                dialled.Deliver(
                    new Input(InputKind.Announced) { Peer = dialler.Id, Address = dialler.Identity.Address });
            }
            return status;
        }
        return null;
    }

    /// <summary>Breaks a connection: its frames in flight are lost, and both sides are told.</summary>
    public void Disconnect(int from, int to)
    {
        SimulatedLink link = cluster.Network.Link(from, to);
        link.Epoch++;
        if (!link.IsConnected)
            return;
        link.IsConnected = false;
        cluster.Servers[from].Deliver(new Input(InputKind.Lost) { Peer = (ulong)to + 1 });
        cluster.Servers[to].Deliver(new Input(InputKind.Lost) { Peer = (ulong)from + 1 });
        cluster.Servers[from].OnConnectionLost(to);
    }

    /// <summary>Breaks all connections from and to a server.</summary>
    public void DisconnectAll(SimulatedServer server)
    {
        foreach (SimulatedServer other in cluster.Servers)
        {
            if (other == server)
                continue;
            Disconnect(server.Number, other.Number);
            Disconnect(other.Number, server.Number);
        }
    }

    /// <summary>Delivers the frame that has arrived, unless its connection or its receiver is gone.</summary>
    public void Deliver(long slot)
    {
        if (!cluster.Network.TryTake(slot, out FrameInFlight frame))
            return;
        SimulatedServer receiver = cluster.Servers[frame.To];
        Frame.TryReadHeader(frame.Span, out Message message, out _);
        if (receiver.IsUp && !frame.IsReplay && Promises.Has(message) && !receiver.Keep(cluster.Servers[frame.From]))
            SimulatedNetwork.Return(frame);
        else
            receiver.Deliver(new Input(InputKind.Frame) { Frame = frame });
    }

    /// <summary>True if every other server would notice that this server comes back with another directory.</summary>
    public bool IsKnownToAll(SimulatedServer server)
    {
        foreach (SimulatedServer other in cluster.Servers)
        {
            if (other != server && !hasMet[other.Number, server.Number])
                return false;
        }
        return true;
    }
}
