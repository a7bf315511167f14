using System.Runtime.InteropServices;

namespace RaftFast.LoadTest.Scenarios.Cluster;

/// <summary>Signals by their numbers in Linux on x64 and arm64 (signal(7)).</summary>
internal static partial class Signal
{
    public const int Kill = 9;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <summary>Sends a signal. Returns false if there is no such process.</summary>
    public static bool Send(int processId, int signal) => SendSignal(processId, signal) == 0;

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int processId, int signal);
}
