using System.Globalization;

namespace RaftFast.Server.Sockets;

/// <summary>
/// Configures .NET's socket threads, which wait for sockets and handle the bytes that arrive. .NET reads the two
/// settings from the environment; values that the user has set there win.
/// </summary>
internal static class SocketThreads
{
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
    private const string ThreadCount = "DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT";

    /// <summary>
    /// Number of threads that wait for sockets: fewer than one for each processor. More threads would wake and wait for
    /// each other, and the log's thread and other processes need processors too.
    /// </summary>
    public static int Count => Math.Max(1, Environment.ProcessorCount / 2);

    /// <summary>Called before the process makes its first socket.</summary>
    public static void Configure()
    {
        // The thread that waits for the sockets also does the work that arrives, up to the answer. Handing the work to
        // the thread pool costs a wake-up, and a spin of the pool thread when it runs out of work.
        SetDefault(InlineCompletions, "1");
        SetDefault(ThreadCount, Count.ToString(CultureInfo.InvariantCulture));
    }

    private static void SetDefault(string variable, string value)
    {
        if (Environment.GetEnvironmentVariable(variable) is null)
            Environment.SetEnvironmentVariable(variable, value);
    }
}
