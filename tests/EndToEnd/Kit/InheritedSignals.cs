using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>
/// A shell lets a command in the background ignore SIGINT, and every child of that command inherits this. The servers
/// that the tests start must take SIGINT all the same.
/// </summary>
internal static partial class InheritedSignals
{
    [ModuleInitializer]
    public static void Reset() => SetHandler(Signal.Interrupt, handler: 0);

    /// <param name="handler">0 is the default action (SIG_DFL).</param>
    [LibraryImport("libc", EntryPoint = "signal")]
    private static partial nint SetHandler(int signal, nint handler);
}
