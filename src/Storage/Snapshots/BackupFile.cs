using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Snapshots;

/// <summary>
/// A snapshot in a file outside all data directories, in the same format and marked as a backup.
/// </summary>
public static class BackupFile
{
    private const string TemporarySuffix = ".raftfast-tmp";

    /// <summary>Begins to write a backup. The file gets its name when it is complete and durable.</summary>
    /// <param name="path">Path of a file that does not exist yet.</param>
    /// <param name="nonce">Random number that no other snapshot of the cluster has.</param>
    /// <param name="version">Version of the state: <see cref="Store.KeyValueStore.Version"/>.</param>
    /// <returns>Null if the disk is full.</returns>
    /// <exception cref="StorageException">The file exists, or can't be created.</exception>
    public static SnapshotWriter? TryCreate(
        string path, ulong clusterId, LogPosition position, ReadOnlySpan<byte> configuration, ulong nonce,
        int version = 1)
    {
        path = Path.GetFullPath(path);
        RefuseOverwriting(path);
        string directory = Path.GetDirectoryName(path)
            ?? throw new StorageException($"{path} is a directory; choose the path of a new file for the backup");
        if (!Directory.Exists(directory))
        {
            throw new StorageException(
                $"the directory {directory} does not exist; create it or choose another path for the backup");
        }
        FileDisk disk = new(directory, DiskWriteMode.Direct);
        string name = Path.GetFileName(path);
        string temporary = name + TemporarySuffix;
        return SnapshotWriter.TryCreate(
            disk, temporary, clusterId, nonce, position, isBackup: true, configuration, version, () =>
            {
                RefuseOverwriting(path);
                disk.Rename(temporary, name);
                disk.SyncDirectory();
                return SnapshotPublishStatus.Published;
            });
    }

    /// <summary>
    /// Opens a backup or a member's snapshot for reading, at its header. The reader reports damage, at once or while it
    /// reads.
    /// </summary>
    /// <exception cref="StorageException">The file can't be read.</exception>
    public static SnapshotReader Read(string path)
    {
        path = Path.GetFullPath(path);
        if (!File.Exists(path))
            throw new StorageException($"the file {path} does not exist; check --input");
        FileDisk disk = new(Path.GetDirectoryName(path)!, DiskWriteMode.ReadOnly);
        return new SnapshotReader(disk, Path.GetFileName(path), clusterId: null);
    }

    private static void RefuseOverwriting(string path)
    {
        if (Path.Exists(path))
            throw new StorageException($"{path} exists and is not overwritten; choose another path for the backup");
    }
}
