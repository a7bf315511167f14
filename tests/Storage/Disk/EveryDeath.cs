using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Tests.Disk;

/// <summary>
/// Runs a story repeatedly, and dies before, during and after each operation of the disk. Each death happens once as a
/// killed process, and once for each set of unsynced changes of names that a power loss may undo.
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
