using System.Runtime.InteropServices;

namespace RaftFast.Server.Lifetime;

/// <summary>
/// SIGXFSZ, which the kernel sends for a write beyond the limit on the size of files (ulimit -f). By default the signal
/// ends the process without any message. While the signal is ignored, the write fails with EFBIG, which the storage
/// treats as a full disk.
/// </summary>
internal static partial class FileSizeSignal
{
    /// <summary>The number on Linux and macOS.</summary>
    private const int Number = 25;

    /// <summary>SIG_IGN of signal(2).</summary>
    private const nint Ignored = 1;

    /// <summary>
    /// Ignores the signal until the process ends. A PosixSignalRegistration is not enough: its handler runs on another
    /// thread, some time after the write. If the registration has been disposed by then, the signal ends the process.
    /// </summary>
    public static void Ignore()
    {
        if (!OperatingSystem.IsWindows())
            SetHandler(Number, Ignored);
    }

    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);
}
