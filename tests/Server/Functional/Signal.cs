using System.Runtime.InteropServices;

namespace RaftFast.Server.Tests.Functional;

/// <summary>Signals by their numbers in Linux on x64 and arm64 (signal(7)).</summary>
internal static partial class Signal
{
    public const int Interrupt = 2;
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    /// <param name="processId">Negative: a process group.</param>
    /// <returns>False when there is no such process any more.</returns>
    public static bool Send(int processId, int signal) => SendSignal(processId, signal) == 0;

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int SendSignal(int processId, int signal);
}
