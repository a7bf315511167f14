namespace RaftFast.Server.Sockets;

/// <summary>What .NET's sockets do with threads. They learn it from the environment, in which a user may say otherwise.</summary>
internal static class SocketThreads
{
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
    private const string Count = "DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT";

    /// <summary>Before the first socket is made.</summary>
    public static void Configure()
    {
        // What comes of a socket is done on the thread that waits for all of them, down to the answer: handing it to the thread pool
        // costs a wake-up, and a spin of the thread that will be out of work next.
        SetDefault(InlineCompletions, "1");
        // Not one a processor: they would wake and wait for each other, and there are the log's thread and the other processes.
        SetDefault(Count, Math.Max(1, Environment.ProcessorCount / 2).ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    private static void SetDefault(string variable, string value)
    {
        if (Environment.GetEnvironmentVariable(variable) is null)
            Environment.SetEnvironmentVariable(variable, value);
    }
}
