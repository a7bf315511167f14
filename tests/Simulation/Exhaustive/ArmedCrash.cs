using RaftFast.Simulation.Disk;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Exhaustive;

/// <summary>Makes a run crash at its crash point. A run without a crash point does not crash.</summary>
internal sealed class ArmedCrash
{
    private readonly IReadOnlyList<SimulatedServer> servers;
    private CrashPoint? armed;

    public ArmedCrash(CrashPoint? point, IReadOnlyList<SimulatedServer> servers)
    {
        this.servers = servers;
        armed = point;
        if (point is { Kind: CrashPointKind.DiskOperation } operation)
            servers[operation.Server].Disk.CrashAt(operation.Ordinal, operation.Moment);
    }

    /// <summary>Called before and after a server puts a message on the wire.</summary>
    public void OnSend(SimulatedServer server, CrashMoment moment)
    {
        if (armed is { Kind: CrashPointKind.Send } point
            && point.Server == server.Number && point.Ordinal == server.Sends && point.Moment == moment)
        {
            throw new SimulatedCrashException($"simulated: the process died {moment} a message");
        }
    }

    /// <summary>Called when a server has died. Cuts the power of all others if the crash point says so.</summary>
    public void OnDied(SimulatedServer server)
    {
        if (armed is not { } point || point.Server != server.Number)
            return;
        armed = null;
        foreach (SimulatedServer other in servers)
        {
            if (point.Everywhere && other != server)
                other.Crash(losesPower: true);
        }
    }
}
