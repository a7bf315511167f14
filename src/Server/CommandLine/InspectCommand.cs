using System.CommandLine;
using RaftFast.Server.Lifetime;
using RaftFast.Storage.Directories;

namespace RaftFast.Server.CommandLine;

/// <summary>
/// <c>raftfast inspect</c>: what a stopped member's directory holds, all of it verified, a line each with a key that stays. Nothing in
/// the directory changes. While its member runs it is refused: files come and go, and would look damaged.
/// </summary>
internal static class InspectCommand
{
    public static Command Create(Option<string> dataDirectory)
    {
        Command command = new(
            "inspect",
            "Show what the data directory of a stopped member holds, and verify all of it. Nothing in it is changed. Exit code 0: sound; 1: damaged, or not to be read, or its member runs.")
        {
            dataDirectory,
        };
        command.SetAction(flags => Run(flags.GetValue(dataDirectory) ?? "raftfast-1", flags.InvocationConfiguration.Output));
        return command;
    }

    private static int Run(string path, TextWriter output)
    {
        using DataDirectory directory = DataDirectory.OpenReadOnly(path);
        return new DirectoryReport(directory, output).Write() ? ExitCode.Success : ExitCode.OperatingError;
    }
}
