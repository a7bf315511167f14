using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Faults;

/// <summary>Damages the files of a server. The server may then refuse to start.</summary>
internal static class MachineFaults
{
    /// <summary>
    /// Stops the machine and damages its log at a place where recovery can tell the damage from a torn write.
    /// </summary>
    public static void DamageLog(SimulatedServer server, bool isMisdirected)
    {
        if (!server.IsUp || !server.Disk.CanBeDamaged)
            return;
        server.Crash(losesPower: true);
        if (isMisdirected)
            server.Disk.Misdirect();
        else
            server.Disk.Rot();
        server.Lose(isMisdirected ? Counter.MisdirectedWritesRefused : Counter.RotRefused);
    }

    /// <summary>
    /// Stops the machine and damages its newest snapshot. An older snapshot and the log make up for the damage, unless
    /// the log begins after the older snapshot. That happens after a start that reset the log, because the log was
    /// shorter than the newest snapshot.
    /// </summary>
    public static void DamageSnapshot(SimulatedServer server)
    {
        if (!server.IsUp || server.SnapshotFiles!.Files.Count == 0)
            return;
        string name = server.SnapshotFiles.Files[0].Name;
        long first = server.Log!.FirstIndex;
        bool isMadeUpFor = first == 1 || server.SnapshotFiles.Files.Skip(1).Any(older => first <= older.Index + 1);
        server.Crash(losesPower: true);
        if (!server.Disk.Exists(name))
            return;
        server.Disk.Rot(name);
        if (!isMadeUpFor)
            server.Lose(Counter.SnapshotsDamaged);
    }
}
