using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Storage.Tests.Snapshots;

public sealed class BackupFileTests : IDisposable
{
    private readonly TemporaryDirectory temporary = new();

    private string Path => temporary.PathOf("backup");

    [Fact]
    public void Backup_of_any_cluster_is_read_as_written()
    {
        Write(Path);
        using SnapshotReader reader = BackupFile.Read(Path);
        Assert.Equal((5UL, 9UL, new LogPosition(2, 10)), (reader.ClusterId, reader.Nonce, reader.Position));
        Assert.Equal(3, reader.EntriesInAll());
        Assert.Equal(SnapshotReadStatus.Chunk, reader.Read());
        Assert.False(reader.Payload.ContainsAnyExcept((byte)7));
        Assert.Equal(SnapshotReadStatus.End, reader.Read());
        Assert.Equal(3, reader.Entries);
        Assert.Equal(new FileInfo(Path).Length, reader.End);
        Assert.Single(Directory.GetFiles(temporary.Location));
    }

    [Fact]
    public void Existing_file_is_not_overwritten()
    {
        File.WriteAllText(Path, "mine");
        Assert.Throws<StorageException>(() => Write(Path));
        Assert.Equal("mine", File.ReadAllText(Path));
    }

    [Fact]
    public void Backup_is_not_accepted_as_a_members_snapshot()
    {
        Write(temporary.PathOf("snapshot-00000000000000000010.snap"));
        FileDisk disk = new(temporary.Location, DiskWriteMode.Direct);
        StorageException refusal = Assert.Throws<StorageException>(() => SnapshotStore.Open(disk, 5));
        Assert.Contains("is a backup", refusal.Message, StringComparison.Ordinal);

        SnapshotStore store = SnapshotStore.Open(new MemoryDisk(), 5);
        using SnapshotReader reader = BackupFile.Read(temporary.PathOf("snapshot-00000000000000000010.snap"));
        Assert.Null(store.TryReceive(reader.Image, out PartialSnapshotStatus status));
        Assert.Equal(PartialSnapshotStatus.Invalid, status);
    }

    [Fact]
    public void Members_snapshot_is_read_like_a_backup()
    {
        SnapshotStore store = Open();
        Assert.True(SnapshotScript.Take(store, 3));
        using SnapshotReader reader = BackupFile.Read(temporary.PathOf(store.Files[0].Name));
        Assert.Null(reader.Damage);
        Assert.Equal(SnapshotScript.Cluster, reader.ClusterId);
    }

    /// <summary>A read-only store passes over a damaged snapshot, and leaves its file in place.</summary>
    [Fact]
    public void Read_only_store_changes_no_file()
    {
        SnapshotStore store = Open();
        Assert.True(SnapshotScript.Take(store, 3));
        Assert.True(SnapshotScript.Take(store, 4));
        File.WriteAllText(temporary.PathOf("snapshot-next.tmp"), "left by a crash");
        string[] before = [.. Directory.GetFiles(temporary.Location).Order(StringComparer.Ordinal)];
        FileDisk readOnly = new(temporary.Location, DiskWriteMode.ReadOnly);
        SnapshotStore view = SnapshotStore.OpenReadOnly(readOnly, SnapshotScript.Cluster);
        view.SetAside(view.Files[0]);
        Assert.Equal(new SnapshotFile(3), Assert.Single(view.Files));
        Assert.Null(SnapshotScript.Read(view, view.Files[0]));
        Assert.Equal(before, Directory.GetFiles(temporary.Location).Order(StringComparer.Ordinal));
        Assert.Throws<InvariantException>(() => view.TryCreate(new LogPosition(1, 9), default, 1));
    }

    public void Dispose() => temporary.Dispose();

    private SnapshotStore Open() =>
        SnapshotStore.Open(new FileDisk(temporary.Location, DiskWriteMode.Direct), SnapshotScript.Cluster);

    private static void Write(string path)
    {
        using SnapshotWriter writer = BackupFile.TryCreate(path, 5, new LogPosition(2, 10), "configuration"u8, 9)!;
        writer.Payload[..300].Fill(7);
        Assert.True(writer.TryWriteChunk(300, 3));
        Assert.Equal(SnapshotPublishStatus.Published, writer.Complete());
    }
}
