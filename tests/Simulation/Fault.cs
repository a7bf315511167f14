namespace RaftFast.Simulation;

/// <summary>What the nemesis can do.</summary>
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
    MisdirectWrite,
}
