using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Logging;
using RaftFast.Server.Node;
using RaftFast.Storage.Disk;

namespace RaftFast.Server.Lifetime;

/// <summary>Ends a process that cannot continue.</summary>
internal static class FatalError
{
    private static int isExiting;

    /// <summary>
    /// Shuts down all sockets, reports and ends the process, at most <see cref="LineWriter.ExitWait"/> later. A task or
    /// an async void that no caller awaits must end here: compiled ahead of time, the runtime aborts there without
    /// raising <see cref="AppDomain.UnhandledException"/>.
    /// </summary>
    [DoesNotReturn]
    public static void Exit(Exception exception)
    {
        // Only the first fault is reported. The end of the process may cause exceptions on other threads.
        if (Interlocked.Exchange(ref isExiting, 1) != 0)
            Thread.Sleep(Timeout.Infinite);
        ProcessSockets.ShutDown();
        Environment.Exit(Report(exception));
    }

    /// <summary>Writes the description to stderr.</summary>
    /// <returns>The process's exit code.</returns>
    public static int Report(Exception exception)
    {
        LineWriter.StandardError.Write(Describe(exception, out int exitCode));
        LineWriter.StandardError.Drain(LineWriter.ExitWait);
        return exitCode;
    }

    /// <summary>Describes a fault that the operator can mend in one line, and a bug with its stack trace.</summary>
    public static string Describe(Exception exception, out int exitCode)
    {
        if (IsOperatingError(exception))
        {
            exitCode = ExitCode.OperatingError;
            return $"raftfast: {LogLine.Escape(exception.Message)}\n";
        }
        exitCode = ExitCode.Bug;
        string what = exception is InvariantException
            ? exception.Message
            : $"{exception.GetType()}: {exception.Message}";
        return $"raftfast: a bug, please report it: {LogLine.Escape(what)}\n{exception}\n";
    }

    private static bool IsOperatingError(Exception exception) =>
        exception is OperatingException or StorageException or AcknowledgedEntriesLostException
            or StateDiffersException or IOException or SocketException or UnauthorizedAccessException;
}
