namespace RaftFast.Simulation;

internal enum EventKind : byte
{
    Tick,

    /// <summary>A server's loop wakes up and takes its inbox.</summary>
    Run,
    DiskBegins,
    DiskCompletes,

    /// <summary>The log has been idle since batch number Argument.</summary>
    Seal,

    PrepareSegment,

    /// <summary>The frame in slot Argument arrives.</summary>
    Deliver,

    /// <summary>The actor dials server number Argument.</summary>
    Connect,
    Connected,
    Lost,

    /// <summary>A server has dialled this one and announced its address.</summary>
    Announced,

    /// <summary>A server has refused this one's connection.</summary>
    Refused,

    /// <summary>The operator may ask for another membership change.</summary>
    OperatorThinks,
    Request,

    /// <summary>The thread that takes a snapshot continues.</summary>
    SnapshotStep,
    SnapshotTaken,

    /// <summary>The next part of a snapshot arrives; Argument is the transfer's number.</summary>
    SnapshotArrives,
    SnapshotReceived,
    SnapshotSent,
    ClientThinks,
    Nemesis,
    Heal,
    Restart,
    Resume,
}
