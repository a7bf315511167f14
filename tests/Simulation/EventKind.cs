namespace RaftFast.Simulation;

internal enum EventKind : byte
{
    Tick,

    /// <summary>A server's loop wakes up and takes its inbox.</summary>
    Run,
    DiskBegins,
    DiskCompletes,

    /// <summary>The log has been idle since the batch that Argument numbers.</summary>
    Seal,

    PrepareSegment,

    /// <summary>A frame arrives; Argument is its slot.</summary>
    Deliver,

    /// <summary>The actor dials the server that Argument numbers.</summary>
    Connect,
    Connected,
    Lost,

    /// <summary>A server has dialled this one, and said where it is itself.</summary>
    Announced,

    /// <summary>A server has refused this one's connection.</summary>
    Refused,

    /// <summary>Another request to change the members.</summary>
    OperatorThinks,
    Request,

    /// <summary>The thread that takes a snapshot goes on with it.</summary>
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
