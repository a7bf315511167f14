using RaftFast.Protocol;

namespace RaftFast.Server.Peers.Links;

/// <summary>
/// An address of <c>--cluster</c>, dialled while <see cref="DialledPeers{TLink}.NeedsHint"/>. Decides the pauses
/// between attempts. Has no clock and no socket: <see cref="Outbound.PeerHint"/> dials, and so does the simulator.
/// </summary>
internal sealed class HintedAddress(PeerAddress address, PeerOptions options)
{
    private TimeSpan pause = options.BackoffMin;

    public PeerAddress Address => address;

    /// <summary>Returns the pause until the next look.</summary>
    public TimeSpan PauseAfter(HintOutcome outcome)
    {
        pause = outcome switch
        {
            // The member dials back.
            HintOutcome.Accepted => options.BackoffMax,
            HintOutcome.Refused => options.WrongHintPause,
            // The member may not be up yet, or nobody needs the address.
            _ => 2 * pause < options.BackoffMax ? 2 * pause : options.BackoffMax,
        };
        return pause;
    }
}

internal enum HintOutcome
{
    /// <summary>The address was not dialled.</summary>
    NotNeeded,

    Accepted,

    /// <summary>Something listens at the address, and it is no member that accepts this node.</summary>
    Refused,

    /// <summary>Nothing listens at the address.</summary>
    Unreached,
}
