using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Directories;

/// <summary>
/// Locks that admit one process to a directory. The kernel keeps a lock on an open file, and releases the lock when the
/// process ends. One lock is on the directory itself, and one on the file <see cref="Name"/>. The file stays, and holds
/// the process id of its last owner for an operator. If a file system does not lock directories, <see cref="Verify"/>
/// notices a deleted lock file.
/// </summary>
internal sealed class DirectoryLock : IDisposable
{
    public const string Name = "lock";

    private readonly string directory;
    private readonly SafeFileHandle file;

    /// <summary>Null where only the file is locked.</summary>
    private readonly SafeFileHandle? directoryHandle;

    private DirectoryLock(string directory, SafeFileHandle file, SafeFileHandle? directoryHandle)
    {
        this.directory = directory;
        this.file = file;
        this.directoryHandle = directoryHandle;
    }

    private string LockPath => Path.Combine(directory, Name);

    /// <exception cref="StorageException">Another process has the directory.</exception>
    /// <exception cref="IOException">The lock file can't be made, or the file system does not lock files.</exception>
    /// <exception cref="UnauthorizedAccessException">The lock file can't be made.</exception>
    public static DirectoryLock Take(string directory) => Take(directory, LockDirectory);

    /// <param name="lockDirectory">Locks the directory itself; null where its file system does not.</param>
    internal static DirectoryLock Take(string directory, Func<string, int, SafeFileHandle?> lockDirectory)
    {
        string path = Path.Combine(directory, Name);
        DirectoryLock taken = Libc.IsKnown
            ? LockOnLinux(directory, Libc.ReadWrite | Libc.Create, Libc.LockExclusive, lockDirectory)
            : new DirectoryLock(directory, LockElsewhere(directory, path), directoryHandle: null);
        try
        {
            RandomAccess.SetLength(taken.file, 0);
            string owner = Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n";
            RandomAccess.Write(taken.file, Encoding.ASCII.GetBytes(owner), 0);
        }
        catch (IOException)
        {
            // The process id is only information. On a full disk the node starts without it, and can still serve reads.
        }
        return taken;
    }

    /// <summary>
    /// Takes shared locks: no node can start on the directory, and other readers may share the locks. Changes nothing.
    /// </summary>
    /// <returns>Null if there is no lock file, because no node has ever run on this directory.</returns>
    /// <exception cref="StorageException">A node runs on the directory.</exception>
    /// <exception cref="IOException">The file can't be read.</exception>
    public static DirectoryLock? TryShare(string directory)
    {
        string path = Path.Combine(directory, Name);
        if (!File.Exists(path))
        {
            // A node may run on the directory although its lock file was deleted.
            if (Libc.IsKnown)
                LockDirectory(directory, Libc.LockShared)?.Dispose();
            return null;
        }
        if (Libc.IsKnown)
            return LockOnLinux(directory, Libc.ReadOnly, Libc.LockShared, LockDirectory);
        try
        {
            SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read);
            return new DirectoryLock(directory, file, directoryHandle: null);
        }
        catch (IOException)
        {
            throw InUse(directory);
        }
    }

    /// <summary>
    /// Verifies, where only the file is locked, that the lock file is still the locked one. A file system that fails to
    /// answer proves nothing.
    /// </summary>
    /// <exception cref="StorageException">The lock file was deleted or replaced, so another process may have taken the
    /// directory.</exception>
    public void Verify()
    {
        bool isWhole = directoryHandle is not null;
        if (!Libc.IsKnown || isWhole || Libc.TryInode(file, out long held) != 0)
            return;
        int error = Libc.TryInode(LockPath, out long named);
        if (error == 0 ? named == held : error is not (Libc.NoEntry or Libc.NoDirectory))
            return;
        throw new StorageException(
            $"{LockPath} was deleted or replaced while this process used the directory, so another process may use the "
            + "directory too; check that only one process uses the directory, start again, and leave that file alone");
    }

    public void Dispose()
    {
        file.Dispose();
        directoryHandle?.Dispose();
    }

    /// <summary>
    /// Locks without .NET's own locking, which the environment can switch off, and under which no other process can
    /// read the owner's process id.
    /// </summary>
    private static DirectoryLock LockOnLinux(
        string directory, int flags, int kind, Func<string, int, SafeFileHandle?> lockDirectory)
    {
        SafeFileHandle? directoryHandle = lockDirectory(directory, kind);
        try
        {
            SafeFileHandle file = OpenOnLinux(Path.Combine(directory, Name), flags);
            if (Libc.Lock(file, kind | Libc.LockNonBlocking) == 0)
                return new DirectoryLock(directory, file, directoryHandle);
            Exception refusal = Libc.LastError == Libc.WouldBlock
                ? InUse(directory)
                : new IOException($"its file system can't lock files ({Libc.LastMessage})");
            file.Dispose();
            throw refusal;
        }
        catch
        {
            directoryHandle?.Dispose();
            throw;
        }
    }

    /// <returns>Null where the file system does not lock directories, as some network file systems.</returns>
    private static SafeFileHandle? LockDirectory(string directory, int kind)
    {
        SafeFileHandle handle = OpenOnLinux(directory, Libc.ReadOnly);
        if (Libc.Lock(handle, kind | Libc.LockNonBlocking) == 0)
            return handle;
        bool isInUse = Libc.LastError == Libc.WouldBlock;
        handle.Dispose();
        return isInUse ? throw InUse(directory) : null;
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
            throw InUse(directory);
        }
    }

    private static SafeFileHandle OpenOnLinux(string path, int flags)
    {
        int descriptor = Libc.Open(path, flags | Libc.CloseOnExec, Libc.OwnerOnly);
        if (descriptor < 0)
            throw new IOException(Libc.LastMessage);
        return new SafeFileHandle(descriptor, ownsHandle: true);
    }

    private static StorageException InUse(string directory)
    {
        string path = Path.Combine(directory, Name);
        string owner = "";
        try
        {
            using SafeFileHandle file = Libc.IsKnown
                ? OpenOnLinux(path, Libc.ReadOnly)
                : File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            byte[] text = new byte[16];
            int length = RandomAccess.Read(file, text, 0);
            string digits = Encoding.ASCII.GetString(text, 0, length);
            if (int.TryParse(digits, NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int id))
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
