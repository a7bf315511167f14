using RaftFast.Protocol;

namespace RaftFast.Server.Peers.Links;

/// <summary>
/// Decides at which address a peer is dialled, and when a dialling or connected link begins anew. Has no clock and no
/// socket: <see cref="Outbound.PeerLink"/> dials, and so does the simulator. The loop calls the public methods. The
/// dialling task calls the protected ones, so the fields are volatile.
/// </summary>
internal abstract class DialledPeer(ulong peer)
{
    /// <summary>Address that the peer has announced; null before that.</summary>
    private volatile PeerAddress? announced;

    /// <summary>Address in the last configuration that names the peer; null for a stranger.</summary>
    private volatile PeerAddress? configured;

    /// <summary>Address of the current connection or attempt, else of the last one.</summary>
    private volatile PeerAddress? destination;

    /// <summary>Attempts at the current addresses. Used by the dialling task alone.</summary>
    private int attempts;

    public ulong Peer { get; } = peer;

    /// <summary>True while no configuration names the peer.</summary>
    public bool IsStranger => configured is null;

    public abstract bool IsConnected { get; }

    /// <summary>Address at which the peer is dialled. Read on any thread.</summary>
    public PeerAddress Address
    {
        get
        {
            PeerAddress? fromLog = configured;
            return destination ?? announced ?? fromLog!;
        }
    }

    /// <summary>True if the address is one of those at which the peer is dialled in turn. Read on any thread.</summary>
    public bool Dials(PeerAddress address) => configured == address || announced == address;

    /// <summary>
    /// Notes the address that the peer announced. A connection to another address ends, and this address is dialled at
    /// once.
    /// </summary>
    public void Announce(PeerAddress address)
    {
        announced = address;
        if (destination != address)
            Redial();
        else
            // The peer has just dialled this node, so it runs: end the pause before the next attempt.
            Wake();
    }

    /// <summary>
    /// Notes the peer's address in a configuration. The configuration may be an old one from the log, so a connection
    /// that works stays. Without a connection, this address and the announced one are dialled in turn.
    /// </summary>
    public void Configure(PeerAddress address)
    {
        if (configured == address)
            return;
        configured = address;
        if (!IsConnected)
            Redial();
    }

    /// <summary>
    /// The configuration that named the peer was truncated from the log: the peer is a stranger again, at the same
    /// address. The peer's connection stays.
    /// </summary>
    public void Forget()
    {
        announced ??= configured;
        configured = null;
    }

    /// <summary>Stops dialling and ends the connection.</summary>
    public abstract void Stop();

    /// <summary>Ends the current connection or attempt, and dials at once.</summary>
    protected abstract void Redial();

    /// <summary>Ends the pause between two attempts.</summary>
    protected abstract void Wake();

    protected void ForgetAttempts() => attempts = 0;

    /// <summary>Returns the address for the next attempt, which is the destination from now on.</summary>
    protected PeerAddress NextDestination()
    {
        // Read `configured` first: Forget sets `announced` before it clears `configured`.
        PeerAddress? fromLog = configured;
        PeerAddress? fromPeer = announced;
        bool hasOne = fromPeer is null || fromLog is null || fromPeer == fromLog;
        PeerAddress next = (hasOne ? fromPeer ?? fromLog : attempts++ % 2 == 0 ? fromPeer : fromLog)!;
        destination = next;
        return next;
    }
}
