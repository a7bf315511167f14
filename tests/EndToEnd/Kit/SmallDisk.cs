using System.Diagnostics;

namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>A file system of a given size, in memory.</summary>
internal sealed class SmallDisk : IDisposable
{
    private readonly TemporaryDirectory directory = new();
    private readonly bool isMounted;

    public SmallDisk(int mebibytes)
    {
        isMounted = Environment.IsPrivilegedProcess
            && Run("mount", "-t", "tmpfs", "-o", $"size={mebibytes}m", "raftfast-test", directory.Location) == 0;
        if (isMounted)
            return;
        directory.Dispose();
        Assert.Skip("to mount a file system of a given size takes root, and a machine that lets root mount");
    }

    public string Location => directory.Location;

    public void Dispose()
    {
        // Seen once: the file system was still busy right after its process had been killed.
        if (isMounted)
            Eventually.True(() => Run("umount", directory.Location) == 0, () => $"{directory.Location} is unmounted");
        directory.Dispose();
    }

    private static int Run(string command, params string[] arguments)
    {
        ProcessStartInfo start = new(command, arguments) { RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        process.WaitForExit();
        return process.ExitCode;
    }
}
