using System.Runtime.InteropServices;

namespace RaftFast.Server.Lifetime;

/// <summary>
/// The process's limit on open descriptors (getrlimit(2), RLIMIT_NOFILE). Most systems start a process with a soft
/// limit of 1,024 and a far higher hard limit; unlike .NET's other hosts, a native binary does not raise the soft limit
/// by itself.
/// </summary>
internal static partial class DescriptorLimit
{
    private const int NumberOfFiles = 7;

    /// <summary>Raises the soft limit to the hard limit.</summary>
    /// <returns>Descriptors that the process may have open at once; int.MaxValue where the limit is unknown.</returns>
    public static int Raise()
    {
        if (!OperatingSystem.IsLinux() || GetLimit(NumberOfFiles, out Limit limit) != 0)
            return int.MaxValue;
        Limit raised = limit with { Soft = limit.Hard };
        if (limit.Soft < limit.Hard && SetLimit(NumberOfFiles, raised) == 0)
            limit = raised;
        return (int)Math.Min(limit.Soft, int.MaxValue);
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, out Limit limit);

    [LibraryImport("libc", EntryPoint = "setrlimit")]
    private static partial int SetLimit(int resource, in Limit limit);

    private readonly record struct Limit(nuint Soft, nuint Hard);
}
