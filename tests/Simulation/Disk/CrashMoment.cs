namespace RaftFast.Simulation.Disk;

internal enum CrashMoment
{
    Before,
    During,
    After,
}
