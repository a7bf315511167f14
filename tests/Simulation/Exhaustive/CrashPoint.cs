using RaftFast.Simulation.Disk;

namespace RaftFast.Simulation.Exhaustive;

internal enum CrashPointKind
{
    DiskOperation,
    Send,
}

/// <summary>
/// Place at which a run of the exhaustive mode crashes: the number of a server's disk operation or message, from 1.
/// </summary>
/// <param name="Everywhere">True if all other servers lose power at the same moment.</param>
internal readonly record struct CrashPoint(
    CrashPointKind Kind, int Server, long Ordinal, CrashMoment Moment, bool Everywhere)
{
    public override string ToString()
    {
        string moment = Moment.ToString().ToLowerInvariant();
        string operation = Kind == CrashPointKind.Send ? "message" : "disk operation";
        string others = Everywhere ? ", and all others lose power" : "";
        return $"server {Server + 1} dies {moment} {operation} {Ordinal}{others}";
    }
}
