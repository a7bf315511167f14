using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Directories;

/// <summary>
/// Admits one process to a directory. The kernel holds the locks for as long as the process lives: one on the directory itself, which
/// nobody can delete under its owner, and one on the file <see cref="Name"/>, which also holds the owner's process id for people to read.
/// Where the file system does not lock directories, <see cref="Verify"/> notices a deleted lock file.
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
    public static DirectoryLock Take(string directory)
    {
        string path = Path.Combine(directory, Name);
        DirectoryLock taken = Libc.IsKnown
            ? LockOnLinux(directory, Libc.ReadWrite | Libc.Create, Libc.LockExclusive)
            : new DirectoryLock(directory, LockElsewhere(directory, path), directoryHandle: null);
        try
        {
            RandomAccess.SetLength(taken.file, 0);
            RandomAccess.Write(taken.file, Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"), 0);
        }
        catch (IOException)
        {
            // The process id is a courtesy: a member can start on a full disk, to serve reads.
        }
        return taken;
    }

    /// <summary>Keeps a member from starting, and changes nothing. Several processes may share the lock.</summary>
    /// <returns>Null where there is no lock file: no member has ever run on this directory.</returns>
    /// <exception cref="StorageException">A member runs.</exception>
    /// <exception cref="IOException">The lock file can't be read.</exception>
    public static DirectoryLock? TryShare(string directory)
    {
        string path = Path.Combine(directory, Name);
        if (!File.Exists(path))
        {
            // A member may run whose lock file was deleted.
            if (Libc.IsKnown)
                LockDirectory(directory, Libc.LockShared)?.Dispose();
            return null;
        }
        if (Libc.IsKnown)
            return LockOnLinux(directory, Libc.ReadOnly, Libc.LockShared);
        try
        {
            return new DirectoryLock(directory, File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read), directoryHandle: null);
        }
        catch (IOException)
        {
            throw InUse(directory);
        }
    }

    /// <summary>True while the lock on the directory itself keeps other processes out.</summary>
    internal bool HoldsDirectory => directoryHandle is not null;

    /// <summary>Verifies, where only the file is locked, that the lock file is still the locked one.</summary>
    /// <exception cref="StorageException">It was deleted or replaced, so another process may have taken the directory.</exception>
    public void Verify()
    {
        if (!Libc.IsKnown || HoldsDirectory || Libc.Inode(file, "") == Libc.Inode(null, LockPath))
            return;
        throw new StorageException($"{LockPath} was deleted or replaced while this process used the directory, so another process may use it too; start again, and leave that file alone");
    }

    public void Dispose()
    {
        file.Dispose();
        directoryHandle?.Dispose();
    }

    /// <summary>Calls flock(2) and not .NET's locking, which the environment can switch off, and which hides the process id from readers.</summary>
    private static DirectoryLock LockOnLinux(string directory, int flags, int kind)
    {
        SafeFileHandle? directoryHandle = LockDirectory(directory, kind);
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
        return descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw new IOException(Libc.LastMessage);
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
            if (int.TryParse(Encoding.ASCII.GetString(text, 0, length), NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int id))
                owner = $" {id}";
        }
        catch (IOException)
        {
            // The process id is a courtesy; the refusal stands without it.
        }
        return new StorageException($"the data directory {directory} is in use by another process{owner}; stop that one or choose another --data-dir");
    }
}
