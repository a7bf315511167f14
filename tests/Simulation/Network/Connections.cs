using RaftFast.Protocol;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Network;

/// <summary>Opens and breaks the connections between servers, and delivers their frames.</summary>
/// <param name="late">Draws the times after which a side learns of a connection's beginning or end.</param>
internal sealed class Connections(Cluster cluster, int servers, SeededRandom random, SeededRandom late)
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
        link.Epoch++;
        link.IsOpen = true;
        hasMet[to, from] |= dialler.IsOnRightVolume;
        LetLearn(EventKind.DiallerLearns, from, to);
        // The dialled server learns of the last connection's end before the new connection, as in
        // InboundMember.ReplaceAsync.
        SeeEnd(from, to);
        dialled.Deliver(new Input(InputKind.Announced) { Peer = dialler.Id, Address = dialler.Identity.Address });
        return status;
    }

    /// <summary>The dialler learns if its connection is open now.</summary>
    public void DiallerLearns(int from, int to)
    {
        SimulatedLink link = cluster.Network.Link(from, to);
        if (link.IsOpen == link.IsConnected)
            return;
        link.IsConnected = link.IsOpen;
        InputKind kind = link.IsOpen ? InputKind.Connected : InputKind.Lost;
        cluster.Servers[from].Deliver(new Input(kind) { Peer = (ulong)to + 1 });
        if (!link.IsOpen)
            cluster.Servers[from].OnConnectionLost(to);
    }

    /// <summary>The dialled server learns of the last connection's end, unless it knows already.</summary>
    public void SeeEnd(int from, int to)
    {
        SimulatedLink link = cluster.Network.Link(from, to);
        if (link.EndIsUnseen)
            cluster.Servers[to].Deliver(new Input(InputKind.AnswersLost) { Peer = (ulong)from + 1 });
        link.EndIsUnseen = false;
    }

    /// <summary>
    /// Dials an address of <c>--cluster</c>. The server that listens there learns the dialler's id and address.
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

    /// <summary>
    /// Breaks a connection: its frames in flight are lost. Each side learns of the end, perhaps late. Until then the
    /// dialler's frames are lost too.
    /// </summary>
    public void Disconnect(int from, int to)
    {
        SimulatedLink link = cluster.Network.Link(from, to);
        link.Epoch++;
        if (!link.IsOpen)
            return;
        link.IsOpen = false;
        link.EndIsUnseen = true;
        if (!link.IsConnected)
            // The dialler has not learned that its handshake was accepted. The attempt has failed.
            cluster.Servers[from].OnConnectionLost(to);
        else
            LetLearn(EventKind.DiallerLearns, from, to);
        LetLearn(EventKind.DialledLearns, from, to);
    }

    /// <summary>
    /// Breaks all connections from and to a server that has died. The server's next process hears nothing of these
    /// connections.
    /// </summary>
    public void DisconnectAll(SimulatedServer server)
    {
        foreach (SimulatedServer other in cluster.Servers)
        {
            if (other == server)
                continue;
            Disconnect(server.Number, other.Number);
            DiallerLearns(server.Number, other.Number);
            Disconnect(other.Number, server.Number);
            SeeEnd(other.Number, server.Number);
        }
    }

    /// <summary>
    /// Delivers the frame that has arrived. The frame is dropped if its connection or its receiver is gone, or if it
    /// holds a promise from a directory that the receiver does not record.
    /// </summary>
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

    /// <summary>Lets a side learn of the connection's beginning or end, now or later.</summary>
    private void LetLearn(EventKind kind, int from, int to)
    {
        long delay = late.Between(0, cluster.Network.Faults.LearnDelayMax);
        if (delay > 0)
            cluster.Events.Schedule(delay, new Event(kind, to, 0, from));
        else if (kind == EventKind.DiallerLearns)
            DiallerLearns(from, to);
        else
            SeeEnd(from, to);
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
