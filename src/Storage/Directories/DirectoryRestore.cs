using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Storage.Directories;

/// <summary>
/// Makes a member's directory from a backup. While it is under way the member's identity has a name of its own, with which no member
/// starts, and another restore may begin anew; the rename that gives it the right one makes the directory a member's.
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

    /// <exception cref="StorageException">The directory is not empty, but for an unfinished restore; or it can't be written, or is in use.</exception>
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
            // Once more, now that nobody else can come.
            RefuseOccupied(path);
            restore.DeleteLeftovers();
            IdentityFile.Write(restore.Disk, identity, IdentityFile.RestoringName);
            return restore;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StorageException($"the data directory {path} can't be written: {error.Message.TrimEnd('.')}", error);
        }
    }

    /// <summary>Snapshot and log are durable: from now on the directory is a member's.</summary>
    public void Complete()
    {
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
            if (name is DirectoryLock.Name or DataDirectory.MountPointName or IdentityFile.TemporaryName or IdentityFile.RestoringName)
                continue;
            if (!isUnfinished || !IsOfRestore(name))
                throw new StorageException($"{path} is not empty: it holds {name}; restore into an empty or new --data-dir");
        }
    }

    private static bool IsOfRestore(string name) =>
        SnapshotFile.TryParseName(name, out _) || WalSegment.TryParseName(name, out _) || name is SnapshotFile.NextName or WalSegment.NextName;

    /// <summary>Whose they are stays said until they are gone.</summary>
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
