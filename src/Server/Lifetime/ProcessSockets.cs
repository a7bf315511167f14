using System.Globalization;
using System.Runtime.InteropServices;

namespace RaftFast.Server.Lifetime;

/// <summary>
/// All sockets of the process. A thread in a disk write that does not return keeps an ending process alive, with every
/// open socket. Clients and members would wait for answers that never come.
/// </summary>
internal static partial class ProcessSockets
{
    private const string Descriptors = "/proc/self/fd";
    private const int StandardError = 2;
    private const int BothDirections = 2;

    /// <summary>
    /// Shuts down every socket but the standard streams, listening sockets included. Does nothing on systems other than
    /// Linux.
    /// </summary>
    public static void ShutDown()
    {
        if (!OperatingSystem.IsLinux() || !Directory.Exists(Descriptors))
            return;
        foreach (string path in Directory.GetFileSystemEntries(Descriptors))
        {
            // Descriptors of other kinds answer ENOTSOCK.
            if (int.TryParse(Path.GetFileName(path), CultureInfo.InvariantCulture, out int descriptor)
                && descriptor > StandardError)
                _ = ShutDown(descriptor, BothDirections);
        }
    }

    [LibraryImport("libc", EntryPoint = "shutdown")]
    private static partial int ShutDown(int descriptor, int how);
}
