using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Directories;

/// <summary>
/// Lock that admits one process to a directory. The kernel keeps the lock on the open file, and releases the lock when
/// the process ends. The file stays, and holds the process id of its last owner for an operator.
/// </summary>
internal sealed class DirectoryLock : IDisposable
{
    public const string Name = "lock";

    private readonly SafeFileHandle file;

    private DirectoryLock(SafeFileHandle file) => this.file = file;

    /// <exception cref="StorageException">Another process holds the lock.</exception>
    /// <exception cref="IOException">The file can't be created.</exception>
    /// <exception cref="UnauthorizedAccessException">The file can't be created.</exception>
    public static DirectoryLock Take(string directory)
    {
        string path = Path.Combine(directory, Name);
        SafeFileHandle file = Libc.IsKnown ? LockOnLinux(directory, path) : LockElsewhere(directory, path);
        try
        {
            RandomAccess.SetLength(file, 0);
            string owner = Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n";
            RandomAccess.Write(file, Encoding.ASCII.GetBytes(owner), 0);
        }
        catch (IOException)
        {
            // The process id is only information. On a full disk the node starts without it, and can still serve reads.
        }
        return new DirectoryLock(file);
    }

    /// <summary>
    /// Takes a shared lock: no node can start on the directory, and other readers may share the lock. Changes nothing.
    /// </summary>
    /// <returns>Null if there is no lock file, because no node has ever run on this directory.</returns>
    /// <exception cref="StorageException">A node runs on the directory.</exception>
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

    /// <summary>
    /// Locks without .NET's own locking, which the environment can switch off, and under which no other process can
    /// read the owner's process id.
    /// </summary>
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
        if (descriptor < 0)
            throw new IOException(Libc.LastMessage);
        return new SafeFileHandle(descriptor, ownsHandle: true);
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
            string number = Encoding.ASCII.GetString(text, 0, length);
            if (int.TryParse(number, NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int id))
                owner = $" {id}";
        }
        catch (IOException)
        {
            // The process id is only information; the refusal is complete without it.
        }
        return new StorageException(
            $"the data directory {directory} is in use by another process{owner}; "
            + "stop that process or choose another --data-dir");
    }
}
