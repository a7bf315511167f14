using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Tests.Disk;

/// <summary>
/// Runs something again and again, dying before, in and after each operation of the disk; for each, once as a process that was killed,
/// and once for each choice of unsynced changes of the directory that a loss of power may take away.
/// </summary>
internal static class EveryDeath
{
    /// <param name="story">Gets a disk and dies of it; runs the same way each time.</param>
    /// <param name="verify">Gets what is left.</param>
    /// <returns>Deaths.</returns>
    public static int Of(Action<MemoryDisk> story, Action<MemoryDisk> verify)
    {
        int deaths = 0;
        for (int operation = 1; ; operation++)
        {
            foreach (DeathMoment moment in Enum.GetValues<DeathMoment>())
            {
                // -1: killed only.
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
