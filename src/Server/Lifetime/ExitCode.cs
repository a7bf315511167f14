namespace RaftFast.Server.Lifetime;

/// <summary>What the process tells the one who started it.</summary>
internal static class ExitCode
{
    public const int Success = 0;

    /// <summary>The machine, the network or the disk would not let it work.</summary>
    public const int OperatingError = 1;

    /// <summary>The command line asked for something that can't be.</summary>
    public const int Usage = 2;

    /// <summary>A bug, a broken invariant included (EX_SOFTWARE of sysexits.h).</summary>
    public const int Bug = 70;
}
