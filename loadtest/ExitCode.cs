namespace RaftFast.LoadTest;

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
    /// Ctrl-C or SIGTERM interrupted the run; 130 is the code that shells use. The report has the measurements so far,
    /// but its thresholds do not decide the exit code.
    /// </summary>
    public const int Interrupted = 130;
}
