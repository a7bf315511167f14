using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Network;

/// <summary>Dials an address of <c>--cluster</c> as PeerHint does. The server there dials back.</summary>
internal sealed class SimulatedHint(PeerAddress address, SimulatedServer server, Cluster cluster)
{
    private readonly HintedAddress hint = new(address, new PeerOptions());

    /// <summary>Dials, if the address is needed.</summary>
    /// <returns>Microseconds until the next look.</returns>
    public long Look(DialledPeers<SimulatedPeerLink> peers)
    {
        HintOutcome outcome = peers.NeedsHint(hint.Address) ? Dial() : HintOutcome.NotNeeded;
        return (long)hint.PauseAfter(outcome).TotalMicroseconds;
    }

    private HintOutcome Dial() => cluster.Connections.Hint(server, hint.Address) switch
    {
        null => HintOutcome.Unreached,
        HandshakeStatus.Accepted => HintOutcome.Accepted,
        _ => HintOutcome.Refused,
    };
}
