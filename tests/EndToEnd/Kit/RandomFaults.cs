namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>Faults of a test that is random in time.</summary>
internal static class RandomFaults
{
    /// <summary>Kills the member and starts it again, or stops it with SIGSTOP for a while.</summary>
    public static void KillOrPause(ClusterNode victim, Random random)
    {
        if (random.Next(2) == 0)
        {
            victim.Kill();
            Wait(random.Next(500));
            victim.Restart();
        }
        else
        {
            victim.Process.Pause();
            Wait(random.Next(1500));
            victim.Process.Resume();
        }
    }

    /// <summary>Lets time pass: the fault's own time, not a wait for a condition.</summary>
    public static void Wait(int milliseconds) => Thread.Sleep(milliseconds);
}
