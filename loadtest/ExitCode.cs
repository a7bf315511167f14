namespace RaftFast.LoadTest;

/// <summary>What the process tells the one who started it.</summary>
internal static class ExitCode
{
    /// <summary>Every threshold was held.</summary>
    public const int Success = 0;

    public const int ThresholdMissed = 1;

    /// <summary>The command line asked for something that can't be, of this program or of the servers that it was to start.</summary>
    public const int Usage = 2;

    /// <summary>There was nothing to measure: the target doesn't answer, or the servers don't start.</summary>
    public const int NoTarget = 3;

    /// <summary>By Ctrl-C or SIGTERM, as shells say it: what was measured till then is reported, and proves nothing.</summary>
    public const int Interrupted = 130;
}
