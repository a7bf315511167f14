using Microsoft.Extensions.Logging;

namespace RaftFast.Server;

internal static class Program
{
    private const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";

    public static async Task<int> Main(string[] args)
    {
        // Before the first socket is made. What comes of a socket is done on the thread that waits for all of them, down to the answer:
        // handing it to the thread pool costs a wake-up, and a spin of the thread that will be out of work next.
        if (Environment.GetEnvironmentVariable(InlineCompletions) is null)
            Environment.SetEnvironmentVariable(InlineCompletions, "1");
        // For the threads besides this one: the loop's, the log's, the segments'.
        AppDomain.CurrentDomain.UnhandledException += (_, e) => FatalError.Exit((Exception)e.ExceptionObject);
        try
        {
            ServerOptions? options = CommandLine.Parse(args, Console.Out, Console.Error, out int exitCode);
            if (options is null)
                return exitCode;
            using StopSignal stop = new();
            using LogFactory loggers = new(Console.OpenStandardError(), options.LogLevel);
            return await NodeHost.RunAsync(options, loggers, stop.Token);
        }
        catch (Exception e)
        {
            return FatalError.Report(e, Console.Error);
        }
    }
}
