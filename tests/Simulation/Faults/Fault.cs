namespace RaftFast.Simulation.Faults;

/// <summary>Faults that the nemesis can cause.</summary>
internal enum Fault
{
    Crash,
    CrashLeader,
    CrashInOperation,
    LosePowerEverywhere,
    Pause,
    PauseLeader,
    Isolate,
    IsolateLeader,
    CutOneWay,
    CutSome,
    ResetConnections,
    Clog,
    FillDisk,
    FailSync,
    FailRead,
    RotDisk,

    /// <summary>The cluster splits into two random parts.</summary>
    Split,
    MisdirectWrite,

    /// <summary>The process is asked to stop, and hands leadership over first.</summary>
    Stop,

    /// <summary>A server comes back with an empty disk.</summary>
    WipeDisk,

    /// <summary>A server comes back under another address.</summary>
    Move,

    /// <summary>The newest snapshot file of a server is damaged.</summary>
    RotSnapshot,

    /// <summary>Writes of the log and of received snapshots never return at some servers.</summary>
    HangDisks,

    /// <summary>Writes of the log and of received snapshots return after minutes at some servers.</summary>
    StallDisks,

    /// <summary>
    /// A leader without its majority adds a server, and the others overwrite what that server got. Then the server is
    /// added again.
    /// </summary>
    ForkUnderJoiner,

    /// <summary>
    /// The connection from the leader to a server, or the one from that server, is down for a while, or breaks at an
    /// answer of the leader. The other direction stays up.
    /// </summary>
    BreakOneWay,

    /// <summary>One bit of a server's state changes while the server starts from a snapshot.</summary>
    SpoilState,
}
