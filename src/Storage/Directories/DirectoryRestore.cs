using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Storage.Directories;

/// <summary>
/// Makes a member's directory from a backup. Until the restore is complete, the identity file has another name: no node
/// starts on the directory, and another restore may begin from scratch. Renaming the identity file completes the
/// restore.
/// </summary>
public sealed class DirectoryRestore : IDisposable
{
    private readonly DirectoryLock held;

    private DirectoryRestore(string path, DirectoryLock held)
    {
        Disk = new FileDisk(path, DiskWriteMode.Direct);
        this.held = held;
    }

    public IDisk Disk { get; }

    /// <exception cref="StorageException">The directory holds anything but an unfinished restore, can't be written, or
    /// is in use.</exception>
    public static DirectoryRestore Begin(string path, NodeIdentity identity)
    {
        path = Path.GetFullPath(path);
        if (File.Exists(path))
            throw new StorageException($"{path} is a file; choose another --data-dir");
        try
        {
            DataDirectory.Make(path);
            RefuseOccupied(path);
            DirectoryRestore restore = new(path, DirectoryLock.Take(path));
            // Check again under the lock: another process may have written before.
            RefuseOccupied(path);
            restore.DeleteLeftovers();
            IdentityFile.Write(restore.Disk, identity, IdentityFile.RestoringName);
            return restore;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StorageException(
                $"the data directory {path} can't be written: {error.Message.TrimEnd('.')}; "
                + $"make it writable for {Environment.UserName} or choose another --data-dir", error);
        }
    }

    /// <summary>
    /// Completes the restore, when snapshot and log are durable. From now on the directory is a member's.
    /// </summary>
    /// <exception cref="StorageException">Another process may have taken the directory meanwhile.</exception>
    public void Complete()
    {
        held.Verify();
        Disk.Rename(IdentityFile.RestoringName, IdentityFile.Name);
        Disk.SyncDirectory();
    }

    public void Dispose() => held.Dispose();

    private static void RefuseOccupied(string path)
    {
        bool isUnfinished = File.Exists(Path.Combine(path, IdentityFile.RestoringName));
        foreach (string entry in Directory.EnumerateFileSystemEntries(path))
        {
            string name = Path.GetFileName(entry);
            if (name is DirectoryLock.Name or DataDirectory.MountPointName
                or IdentityFile.TemporaryName or IdentityFile.RestoringName)
                continue;
            if (!isUnfinished || !IsOfRestore(name))
            {
                throw new StorageException(
                    $"{path} is not empty: it holds {name}; restore into an empty or new --data-dir");
            }
        }
    }

    private static bool IsOfRestore(string name) =>
        SnapshotFile.TryParseName(name, out _) || WalSegment.TryParseName(name, out _)
        || name is SnapshotFile.NextName or WalSegment.NextName;

    /// <summary>
    /// Deletes the files of an unfinished restore, but not its identity file: a crash here leaves an unfinished
    /// restore.
    /// </summary>
    private void DeleteLeftovers()
    {
        foreach (string name in Disk.List())
        {
            if (IsOfRestore(name))
                Disk.Delete(name);
        }
        Disk.SyncDirectory();
    }
}
