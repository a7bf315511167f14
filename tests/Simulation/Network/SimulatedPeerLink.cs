using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Network;

/// <summary>
/// Dials one peer as PeerLink does: one address at a time, one attempt after the other, with pauses that grow.
/// </summary>
internal sealed class SimulatedPeerLink(ulong peer, SimulatedServer server, Cluster cluster) : DialledPeer(peer)
{
    /// <summary>
    /// Microseconds of <see cref="PeerOptions.BackoffMin"/> and <see cref="PeerOptions.BackoffMax"/>.
    /// </summary>
    private const long BackoffMin = 20_000;
    private const long BackoffMax = 1_000_000;

    private readonly int to = (int)peer - 1;
    private readonly int incarnation = server.Incarnation;
    private bool isStopped;
    private long backoff = BackoffMin;
    private long connectedAt;

    /// <summary>Number of the attempt that is due next. The event of an earlier attempt is ignored.</summary>
    private int attempt;

    public override bool IsConnected => Link.IsConnected;

    /// <summary>True while there is a connection, or while this side has yet to learn of its end.</summary>
    private bool IsCarrying => Link.IsOpen || Link.IsConnected;

    private SimulatedLink Link => cluster.Network.Link(server.Number, to);

    public override void Stop()
    {
        isStopped = true;
        cluster.Connections.Disconnect(server.Number, to);
    }

    /// <summary>Dials, if this attempt is the one that is due.</summary>
    public void Attempt(int number)
    {
        if (number != attempt || isStopped || IsCarrying)
            return;
        HandshakeStatus? status = cluster.Connections.Connect(server.Number, to, NextDestination());
        if (status == HandshakeStatus.Accepted)
        {
            connectedAt = cluster.Events.Now;
            return;
        }
        if (status is HandshakeStatus.Removed or HandshakeStatus.DirectoryReplaced)
            backoff = BackoffMax;
        Pause();
    }

    /// <summary>The connection has ended.</summary>
    public void Lost()
    {
        if (cluster.Events.Now - connectedAt > BackoffMax)
            backoff = BackoffMin;
        Pause();
    }

    protected override void Redial()
    {
        ForgetAttempts();
        backoff = BackoffMin;
        if (IsCarrying)
        {
            cluster.Connections.Disconnect(server.Number, to);
            cluster.Connections.DiallerLearns(server.Number, to);
        }
        AttemptIn(cluster.Connections.DialDelay());
    }

    protected override void Wake()
    {
        if (!IsCarrying)
            AttemptIn(cluster.Connections.DialDelay());
    }

    private void Pause()
    {
        AttemptIn(backoff - cluster.Connections.Jitter(backoff / 2));
        backoff = Math.Min(2 * backoff, BackoffMax);
    }

    private void AttemptIn(long delay) => cluster.Events.Schedule(
        delay, new Event(EventKind.Connect, server.Number, incarnation, ++attempt * 256L + to));
}
