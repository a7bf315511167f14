namespace RaftFast.LoadTest;

/// <summary>Exit codes of the process.</summary>
internal static class ExitCode
{
    /// <summary>Every threshold held.</summary>
    public const int Success = 0;

    public const int ThresholdMissed = 1;

    /// <summary>A flag is wrong, or the nodes of the scenario's cluster refuse a flag.</summary>
    public const int Usage = 2;

    /// <summary>
    /// Nothing was measured: the target doesn't answer, or the nodes of the scenario's cluster don't start.
    /// </summary>
    public const int NoTarget = 3;

    /// <summary>
    /// The run was interrupted by Ctrl-C or SIGTERM; the code is that of shells. The measurements so far are reported,
    /// but thresholds are not judged.
    /// </summary>
    public const int Interrupted = 130;
}
