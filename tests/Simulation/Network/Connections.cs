using RaftFast.Protocol;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Network;

/// <summary>Opens and breaks the connections between servers, and delivers their frames.</summary>
internal sealed class Connections(Cluster cluster, int servers, SeededRandom random)
{
    private readonly bool[,] hasMet = new bool[servers, servers];

    public void Dial(int from, int to) => Schedule(random.Between(100, 20_000), from, to);

    /// <summary>Dials each other server from this server, and this server from each other server.</summary>
    public void DialAll(SimulatedServer server)
    {
        foreach (SimulatedServer other in cluster.Servers)
        {
            if (other == server)
                continue;
            Dial(server.Number, other.Number);
            Dial(other.Number, server.Number);
        }
    }

    /// <summary>Opens a connection if both servers are up and the handshake succeeds.</summary>
    public void Connect(int from, int to)
    {
        SimulatedServer dialler = cluster.Servers[from];
        SimulatedServer dialled = cluster.Servers[to];
        SimulatedLink link = cluster.Network.Link(from, to);
        if (link.IsConnected || !dialler.IsUp || !dialled.IsUp)
            return;
        if (link.IsCut)
        {
            Schedule(100_000, from, to);
            return;
        }
        if (!dialler.Dials(to, dialled.Identity.Address) || dialled.Admit(dialler) is not { } status)
            return;
        if (status != HandshakeStatus.Accepted)
        {
            dialler.Deliver(new Input(InputKind.Refused) { Peer = dialled.Id, Status = status });
            Schedule(1_000_000, from, to);
            return;
        }
        link.IsConnected = true;
        hasMet[to, from] = true;
        dialler.Deliver(new Input(InputKind.Connected) { Peer = dialled.Id });
        dialled.Deliver(new Input(InputKind.Announced) { Peer = dialler.Id, Address = dialler.Identity.Address });
    }

    /// <summary>Breaks a connection: its frames in flight are lost, and the dialling side is told.</summary>
    public void Disconnect(int from, int to)
    {
        SimulatedLink link = cluster.Network.Link(from, to);
        link.Epoch++;
        if (!link.IsConnected)
            return;
        link.IsConnected = false;
        cluster.Servers[from].Deliver(new Input(InputKind.Lost) { Peer = (ulong)to + 1 });
        Schedule(random.Between(1_000, 100_000), from, to);
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
        if (cluster.Network.TryTake(slot, out FrameInFlight frame))
            cluster.Servers[frame.To].Deliver(new Input(InputKind.Frame) { Frame = frame });
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

    private void Schedule(long delay, int from, int to) =>
        cluster.Events.Schedule(delay, new Event(EventKind.Connect, from, 0, to));
}
