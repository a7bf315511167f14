using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Logging;
using RaftFast.Storage.Disk;

namespace RaftFast.Server.Lifetime;

/// <summary>The last words of a process that can't go on.</summary>
internal static class FatalError
{
    /// <summary>
    /// Reports and ends the process. Where a task or an async void is awaited by nobody, it must end here: compiled ahead of
    /// time, the runtime aborts there without raising <see cref="AppDomain.UnhandledException"/>.
    /// </summary>
    [DoesNotReturn]
    public static void Exit(Exception exception) => Environment.Exit(Report(exception, Console.Error));

    /// <summary>One line for what the operator can mend; all there is to know for a bug.</summary>
    /// <returns>The process's exit code.</returns>
    public static int Report(Exception exception, TextWriter error)
    {
        if (IsOperatingError(exception))
        {
            error.Write($"raftfast: {LogLine.Escape(exception.Message)}\n");
            return ExitCode.OperatingError;
        }
        string what = exception is InvariantException ? exception.Message : $"{exception.GetType()}: {exception.Message}";
        error.Write($"raftfast: a bug, please report it: {LogLine.Escape(what)}\n{exception}\n");
        return ExitCode.Bug;
    }

    private static bool IsOperatingError(Exception exception) =>
        exception is OperatingException or StorageException or AcknowledgedEntriesLostException
            or IOException or SocketException or UnauthorizedAccessException;
}
