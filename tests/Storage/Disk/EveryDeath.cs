using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Tests.Disk;

/// <summary>
/// Repeats a story with a death before, during and after each operation of the disk. Each death happens once as a kill
/// of the process, and once as a power loss for each set of unsynced name changes that may be lost.
/// </summary>
internal static class EveryDeath
{
    /// <param name="story">Action that uses the disk until it dies, the same way each time.</param>
    /// <param name="verify">Check of the disk that a death leaves.</param>
    /// <returns>Number of deaths.</returns>
    public static int Of(Action<MemoryDisk> story, Action<MemoryDisk> verify)
    {
        int deaths = 0;
        for (int operation = 1; ; operation++)
        {
            foreach (DeathMoment moment in Enum.GetValues<DeathMoment>())
            {
                // -1: the process is killed, and the power stays.
                for (int lost = -1, choices = 1; lost < choices; lost++)
                {
                    MemoryDisk disk = new();
                    disk.DieAt(operation, moment);
                    if (!Dies(story, disk))
                        return deaths;
                    choices = 1 << disk.UnsyncedNames;
                    if (lost < 0)
                        disk.Revive();
                    else
                        disk.Crash(lost);
                    verify(disk);
                    deaths++;
                }
            }
        }
    }

    private static bool Dies(Action<MemoryDisk> story, MemoryDisk disk)
    {
        try
        {
            story(disk);
            return false;
        }
        catch (StorageException death) when (death.Message == "died")
        {
            return true;
        }
    }
}

/// <summary>Moment in an operation of the disk at which the process dies.</summary>
public enum DeathMoment
{
    Before,

    /// <summary>
    /// After every other sector of a write has reached the disk. Other operations are atomic: the same as Before.
    /// </summary>
    During,

    After,
}
