using System.CommandLine;
using RaftFast.Server.Lifetime;
using RaftFast.Storage.Directories;

namespace RaftFast.Server.CommandLine;

/// <summary>
/// <c>raftfast inspect</c>: verifies the directory of a stopped member and prints its contents, in lines with stable
/// keys. Nothing in the directory changes. While the member runs, the command is refused: files come and go, and would
/// look damaged.
/// </summary>
internal static class InspectCommand
{
    public static Command Create(Option<string> dataDirectory)
    {
        Command command = new(
            "inspect",
            "Show and verify all that the data directory of a stopped member holds. The directory is not changed. "
            + "Exit code 0: the directory is sound; 1: it is damaged, can't be read, or its member runs.")
        {
            dataDirectory,
        };
        command.SetAction(flags => Run(
            flags.GetValue(dataDirectory) ?? "raftfast-1", flags.InvocationConfiguration.Output));
        return command;
    }

    private static int Run(string path, TextWriter output)
    {
        using DataDirectory directory = DataDirectory.OpenReadOnly(path);
        bool isSound = new DirectoryReport(directory, output).Write();
        directory.VerifyLock();
        return isSound ? ExitCode.Success : ExitCode.OperatingError;
    }
}
