using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Storage.Directories;

/// <summary>A node's data directory, locked so that no other process writes to it.</summary>
public sealed class DataDirectory : IDisposable
{
    /// <summary>
    /// Directory that mkfs makes at the root of a file system: the data directory may be a mount point.
    /// </summary>
    internal const string MountPointName = "lost+found";

    private readonly DirectoryLock? held;

    private DataDirectory(string path, DiskWriteMode mode, DirectoryLock? held)
    {
        Path = path;
        Disk = new FileDisk(path, mode);
        this.held = held;
    }

    public string Path { get; }

    public IDisk Disk { get; }

    /// <summary>Locks the directory, and creates it if it does not exist.</summary>
    /// <exception cref="StorageException">The directory can't be written, isn't a directory, is in use, or holds
    /// something else.</exception>
    public static DataDirectory Open(string path, DiskWriteMode mode)
    {
        path = System.IO.Path.GetFullPath(path);
        if (File.Exists(path))
            throw new StorageException($"the data directory {path} is a file; choose another --data-dir");
        try
        {
            Make(path);
            RefuseForeign(path);
            return new DataDirectory(path, mode, DirectoryLock.Take(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(
                $"the data directory {path} can't be written: {error.Message.TrimEnd('.')}; "
                + $"make it writable for {Environment.UserName} or choose another --data-dir", error);
        }
    }

    /// <summary>
    /// Opens a node's directory for reading; nothing in the directory changes. No node can start on the directory until
    /// <see cref="Dispose"/>.
    /// </summary>
    /// <exception cref="StorageException">The directory can't be read, isn't a node's, or its node runs.</exception>
    public static DataDirectory OpenReadOnly(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        if (!Directory.Exists(path))
            throw new StorageException($"the data directory {path} does not exist; check --data-dir");
        try
        {
            DirectoryLock? held = DirectoryLock.TryShare(path);
            if (File.Exists(System.IO.Path.Combine(path, IdentityFile.Name)))
                return new DataDirectory(path, DiskWriteMode.ReadOnly, held);
            held?.Dispose();
            throw new StorageException(
                $"{path} is not the data directory of a node: it holds no {IdentityFile.Name} file; check --data-dir");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(
                $"the data directory {path} can't be read: {error.Message.TrimEnd('.')}; "
                + $"make it readable for {Environment.UserName} or check --data-dir", error);
        }
    }

    /// <returns>Null if the directory is new.</returns>
    public NodeIdentity? ReadIdentity() => IdentityFile.Read(Disk);

    /// <summary>
    /// Writes the identity of a new directory. The identity is durable when the call returns, and never changes.
    /// </summary>
    public void WriteIdentity(NodeIdentity identity) => IdentityFile.Write(Disk, identity);

    /// <summary>
    /// Verifies that no other process can have taken the directory meanwhile. A node calls this once a second, a
    /// command before it reports its success. Safe on any thread.
    /// </summary>
    /// <exception cref="StorageException">The lock file was deleted or replaced.</exception>
    public void VerifyLock() => held?.Verify();

    public void Dispose() => held?.Dispose();

    /// <summary>
    /// Creates the directory and its missing parents. Each new name is durable in the directory above.
    /// </summary>
    internal static void Make(string path)
    {
        if (Directory.Exists(path))
            return;
        string? parent = System.IO.Path.GetDirectoryName(path);
        if (parent is not null)
            Make(parent);
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(path);
        else
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        if (parent is not null)
            FileDisk.SyncDirectory(parent);
    }

    private static void RefuseForeign(string path)
    {
        if (File.Exists(System.IO.Path.Combine(path, IdentityFile.Name)))
            return;
        if (File.Exists(System.IO.Path.Combine(path, IdentityFile.RestoringName)))
        {
            throw new StorageException(
                $"{path} holds a restore that was not finished; run raftfast restore again, or delete the directory");
        }
        foreach (string entry in Directory.EnumerateFileSystemEntries(path))
        {
            string name = System.IO.Path.GetFileName(entry);
            string? known = SnapshotFile.TryParseName(name, out _) ? "a snapshot"
                : WalSegment.TryParseName(name, out _) ? "a log"
                : name == MetDirectories.Name ? "a list of members"
                : null;
            if (known is not null)
                throw StorageException.Unusable(path, $"holds {known} ({name}) but no {IdentityFile.Name} file");
            if (name is not (DirectoryLock.Name or IdentityFile.TemporaryName or MountPointName))
            {
                throw new StorageException(
                    $"the data directory {path} is not RaftFast's: it holds {name} and no {IdentityFile.Name} file; "
                    + "choose an empty or new --data-dir");
            }
        }
    }
}
