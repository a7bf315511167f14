namespace RaftFast.Server.Lifetime;

/// <summary>Exit codes of the process.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>A fault of the machine, the network or the disk, which the operator can mend.</summary>
    public const int OperatingError = 1;

    /// <summary>A mistake in the command line.</summary>
    public const int Usage = 2;

    /// <summary>A bug, for example a broken invariant (EX_SOFTWARE of sysexits.h).</summary>
    public const int Bug = 70;
}
