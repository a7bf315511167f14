using RaftFast.Simulation.Disk;

namespace RaftFast.Simulation.Exhaustive;

internal enum CrashPointKind
{
    DiskOperation,
    Send,
}

/// <summary>Where one run of the exhaustive mode dies: the server's so manieth disk operation or message, from 1.</summary>
/// <param name="Everywhere">All other servers lose power at that moment too.</param>
internal readonly record struct CrashPoint(CrashPointKind Kind, int Server, long Ordinal, CrashMoment Moment, bool Everywhere)
{
    public override string ToString() =>
        $"server {Server + 1} dies {Moment.ToString().ToLowerInvariant()} {(Kind == CrashPointKind.Send ? "message" : "disk operation")} {Ordinal}{(Everywhere ? ", and all others lose power" : "")}";
}
