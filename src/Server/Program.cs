using Microsoft.Extensions.Logging;
using RaftFast.Server.CommandLine;
using RaftFast.Server.Hosting;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Logging;
using RaftFast.Server.Sockets;

namespace RaftFast.Server;

internal static class Program
{
    public static async Task<int> Main(string[] args)
    {
        DescriptorLimit.Raise();
        FileSizeSignal.Ignore();
        SocketThreads.Configure();
        // An exception on any other thread (ThreadNames) ends the process, too.
        AppDomain.CurrentDomain.UnhandledException += (_, e) => FatalError.Exit((Exception)e.ExceptionObject);
        try
        {
            ServerOptions? options = ServerCommandLine.Parse(args, Console.Out, Console.Error, out int exitCode);
            if (options is null)
                return exitCode;
            using StopSignal stop = new();
            using LogFactory loggers = new(LineWriter.StandardError, options.LogLevel);
            return await NodeHost.RunAsync(options, loggers, stop.Token);
        }
        catch (Exception e)
        {
            return FatalError.Report(e);
        }
    }
}
