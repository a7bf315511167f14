using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Snapshots;

/// <summary>A snapshot in a file of its own, outside all data directories: the same format, marked as a backup.</summary>
public static class BackupFile
{
    private const string TemporarySuffix = ".raftfast-tmp";

    /// <summary>Begins to write one. The file has its name once it is complete and durable.</summary>
    /// <param name="path">Of no file that is there.</param>
    /// <param name="nonce">Drawn at random.</param>
    /// <returns>Null if the disk is full.</returns>
    /// <exception cref="StorageException">The file is there, or can't be made.</exception>
    public static SnapshotWriter? TryCreate(
        string path, ulong clusterId, LogPosition position, ReadOnlySpan<byte> configuration, ulong nonce)
    {
        path = Path.GetFullPath(path);
        RefuseOverwriting(path);
        string directory = Path.GetDirectoryName(path) ?? throw new StorageException($"{path} is a directory; the backup is a file");
        if (!Directory.Exists(directory))
            throw new StorageException($"there is no directory {directory} to put {Path.GetFileName(path)} into");
        FileDisk disk = new(directory, DiskWriteMode.Direct);
        string name = Path.GetFileName(path);
        string temporary = name + TemporarySuffix;
        return SnapshotWriter.TryCreate(disk, temporary, clusterId, nonce, position, isBackup: true, configuration, () =>
        {
            RefuseOverwriting(path);
            disk.Rename(temporary, name);
            disk.SyncDirectory();
            return SnapshotPublishStatus.Published;
        });
    }

    /// <summary>At its header. A damaged one says so at once or while it is read. A member's snapshot is as good as a backup.</summary>
    /// <exception cref="StorageException">It can't be read.</exception>
    public static SnapshotReader Read(string path)
    {
        path = Path.GetFullPath(path);
        if (!File.Exists(path))
            throw new StorageException($"there is no file {path}");
        return new SnapshotReader(new FileDisk(Path.GetDirectoryName(path)!, DiskWriteMode.ReadOnly), Path.GetFileName(path), clusterId: null);
    }

    private static void RefuseOverwriting(string path)
    {
        if (Path.Exists(path))
            throw new StorageException($"{path} is there already, and is not overwritten: choose another name for the backup");
    }
}
