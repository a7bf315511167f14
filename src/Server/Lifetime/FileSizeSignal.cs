using System.Runtime.InteropServices;

namespace RaftFast.Server.Lifetime;

/// <summary>
/// SIGXFSZ, which the kernel sends for a write beyond the limit on the size of files (ulimit -f). By default the signal
/// ends the process without a word. While the signal is caught, the write fails with EFBIG instead, which the storage
/// treats as a full disk.
/// </summary>
internal static class FileSizeSignal
{
    /// <summary>The number on Linux and macOS.</summary>
    private const PosixSignal Number = (PosixSignal)25;

    public static IDisposable? Catch() =>
        OperatingSystem.IsWindows() ? null : PosixSignalRegistration.Create(Number, signal => signal.Cancel = true);
}
