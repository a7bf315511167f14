using RaftFast.Simulation.Faults;

namespace RaftFast.Simulation.Events;

/// <param name="Actor">Number of a server or a client, from 0.</param>
/// <param name="Incarnation">Incarnation of the server's process. An event for a dead process is ignored.</param>
/// <param name="Argument">A number whose meaning depends on the kind.</param>
internal readonly record struct Event(EventKind Kind, int Actor, int Incarnation, long Argument);

internal enum EventKind : byte
{
    Tick,

    /// <summary>The loop of a server wakes up and takes its inbox.</summary>
    Run,

    /// <summary>The log's writer takes the published batch.</summary>
    DiskBegins,

    /// <summary>The write of a batch is complete.</summary>
    DiskCompletes,

    /// <summary>The log has been idle since batch number Argument.</summary>
    Seal,

    PrepareSegment,

    /// <summary>The frame in slot Argument arrives.</summary>
    Deliver,

    /// <summary>An attempt to dial a peer is due. Argument has the number of the attempt and of the peer.</summary>
    Connect,

    /// <summary>
    /// Server number Argument, which has dialled the actor, learns that its connection has begun or ended.
    /// </summary>
    DiallerLearns,

    /// <summary>The actor learns that a connection dialled by server number Argument has ended.</summary>
    DialledLearns,

    /// <summary>A look at address number Argument of --cluster is due.</summary>
    Hint,

    /// <summary>All servers move to other addresses.</summary>
    MoveAll,

    /// <summary>The operator may ask for another membership change.</summary>
    OperatorThinks,

    /// <summary>Read number Argument for a follower continues.</summary>
    ReadStep,

    /// <summary>The result of read number Argument reaches the loop.</summary>
    ReadReturns,

    /// <summary>The thread that takes a snapshot continues.</summary>
    SnapshotStep,

    /// <summary>The transfer of a snapshot to the actor begins.</summary>
    SnapshotBegins,

    /// <summary>The next part of each snapshot on its way arrives.</summary>
    SnapshotArrives,

    /// <summary>The client may send another request.</summary>
    ClientThinks,

    /// <summary>The nemesis causes a fault.</summary>
    Nemesis,

    /// <summary>The fault with remedy number Argument ends.</summary>
    Heal,

    /// <summary>The server that alternates between two volumes may change to the other one.</summary>
    Mount,

    /// <summary>The starvation of a follower may begin or end.</summary>
    Starve,

    /// <summary>The process of a server starts again.</summary>
    Restart,

    /// <summary>A paused process continues.</summary>
    Resume,

    /// <summary>The actor's write, which hung at the healing, returns.</summary>
    WriteReturns,
}
