using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Directories;

/// <summary>
/// One process a directory. The lock is the kernel's, on the open file, and dies with the process; the file stays, and holds the owner's
/// process id for people.
/// </summary>
internal sealed class DirectoryLock : IDisposable
{
    public const string Name = "lock";

    private readonly SafeFileHandle file;

    private DirectoryLock(SafeFileHandle file) => this.file = file;

    /// <exception cref="StorageException">Another process has it.</exception>
    /// <exception cref="IOException">The file can't be made.</exception>
    /// <exception cref="UnauthorizedAccessException">The file can't be made.</exception>
    public static DirectoryLock Take(string directory)
    {
        string path = Path.Combine(directory, Name);
        SafeFileHandle file = Libc.IsKnown ? LockOnLinux(directory, path) : LockElsewhere(directory, path);
        try
        {
            RandomAccess.SetLength(file, 0);
            RandomAccess.Write(file, Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"), 0);
        }
        catch (IOException)
        {
            // The number is a courtesy: a full disk, on which this member can still serve reads, doesn't keep it from starting.
        }
        return new DirectoryLock(file);
    }

    /// <summary>Keeps a member from starting, and changes nothing: others may share it.</summary>
    /// <returns>Null where there is no lock file: no member has ever run on this directory.</returns>
    /// <exception cref="StorageException">A member runs.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static DirectoryLock? TryShare(string directory)
    {
        string path = Path.Combine(directory, Name);
        if (!File.Exists(path))
            return null;
        if (Libc.IsKnown)
            return new DirectoryLock(Locked(OpenOnLinux(path, Libc.ReadOnly), Libc.LockShared, directory, path));
        try
        {
            return new DirectoryLock(File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read));
        }
        catch (IOException)
        {
            throw InUse(directory, path);
        }
    }

    public void Dispose() => file.Dispose();

    /// <summary>Without .NET's own locking, which the environment can switch off, and which keeps others from reading the owner's number.</summary>
    private static SafeFileHandle LockOnLinux(string directory, string path) =>
        Locked(OpenOnLinux(path, Libc.ReadWrite | Libc.Create), Libc.LockExclusive, directory, path);

    private static SafeFileHandle Locked(SafeFileHandle file, int kind, string directory, string path)
    {
        if (Libc.Lock(file, kind | Libc.LockNonBlocking) == 0)
            return file;
        Exception refusal = Libc.LastError == Libc.WouldBlock
            ? InUse(directory, path)
            : new IOException($"its file system can't lock files ({Libc.LastMessage})");
        file.Dispose();
        throw refusal;
    }

    private static SafeFileHandle LockElsewhere(string directory, string path)
    {
        try
        {
            FileShare share = OperatingSystem.IsWindows() ? FileShare.Read : FileShare.None;
            return File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, share);
        }
        catch (IOException) when (File.Exists(path))
        {
            throw InUse(directory, path);
        }
    }

    private static SafeFileHandle OpenOnLinux(string path, int flags)
    {
        const int mode = 0x1A4; // rw-r--r--
        int descriptor = Libc.Open(path, flags | Libc.CloseOnExec, mode);
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw new IOException(Libc.LastMessage);
    }

    private static StorageException InUse(string directory, string path)
    {
        string owner = "";
        try
        {
            using SafeFileHandle file = Libc.IsKnown
                ? OpenOnLinux(path, Libc.ReadOnly)
                : File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            byte[] text = new byte[16];
            int length = RandomAccess.Read(file, text, 0);
            if (int.TryParse(Encoding.ASCII.GetString(text, 0, length), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int id))
                owner = $" {id}";
        }
        catch (IOException)
        {
            // The number is a courtesy; the refusal stands without it.
        }
        return new StorageException($"the data directory {directory} is in use by another process{owner}; stop that one or choose another --data-dir");
    }
}
