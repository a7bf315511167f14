using RaftFast.Protocol;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Storage.Tests;

public sealed class BackupFileTests : IDisposable
{
    private readonly TemporaryDirectory temporary = new();

    private string Path => temporary.PathOf("backup");

    [Fact]
    public void What_was_written_is_read_back_whosever_it_is()
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
    public void Nothing_is_overwritten()
    {
        File.WriteAllText(Path, "mine");
        Assert.Throws<StorageException>(() => Write(Path));
        Assert.Equal("mine", File.ReadAllText(Path));
    }

    [Fact]
    public void Backup_is_no_member_s_snapshot()
    {
        Write(temporary.PathOf("snapshot-00000000000000000010.snap"));
        StorageException refusal = Assert.Throws<StorageException>(() => SnapshotStore.Open(new FileDisk(temporary.Location, DiskWriteMode.Direct), 5));
        Assert.Contains("is a backup", refusal.Message, StringComparison.Ordinal);

        SnapshotStore store = SnapshotStore.Open(new MemoryDisk(), 5);
        using SnapshotReader reader = BackupFile.Read(temporary.PathOf("snapshot-00000000000000000010.snap"));
        Assert.Null(store.TryReceive(reader.Image, out PartialSnapshotStatus status));
        Assert.Equal(PartialSnapshotStatus.Invalid, status);
    }

    [Fact]
    public void Member_s_snapshot_is_as_good_as_a_backup()
    {
        SnapshotStore store = SnapshotStore.Open(new FileDisk(temporary.Location, DiskWriteMode.Direct), SnapshotScript.Cluster);
        Assert.True(SnapshotScript.Take(store, 3));
        using SnapshotReader reader = BackupFile.Read(temporary.PathOf(store.Files[0].Name));
        Assert.Null(reader.Damage);
        Assert.Equal(SnapshotScript.Cluster, reader.ClusterId);
    }

    /// <summary>Whoever only looks takes the older one, and leaves the damaged one where it is.</summary>
    [Fact]
    public void Looking_at_snapshots_changes_nothing()
    {
        SnapshotStore store = SnapshotStore.Open(new FileDisk(temporary.Location, DiskWriteMode.Direct), SnapshotScript.Cluster);
        Assert.True(SnapshotScript.Take(store, 3));
        Assert.True(SnapshotScript.Take(store, 4));
        File.WriteAllText(temporary.PathOf("snapshot-next.tmp"), "left by a crash");
        string[] before = [.. Directory.GetFiles(temporary.Location).Order(StringComparer.Ordinal)];
        SnapshotStore view = SnapshotStore.OpenReadOnly(new FileDisk(temporary.Location, DiskWriteMode.ReadOnly), SnapshotScript.Cluster);
        view.SetAside(view.Files[0]);
        Assert.Equal(new SnapshotFile(3), Assert.Single(view.Files));
        Assert.Null(SnapshotScript.Read(view, view.Files[0]));
        Assert.Equal(before, Directory.GetFiles(temporary.Location).Order(StringComparer.Ordinal));
        Assert.Throws<InvariantException>(() => view.TryCreate(new LogPosition(1, 9), default, 1));
    }

    [Fact]
    public void Directory_that_is_read_keeps_its_member_from_starting_and_others_from_nothing()
    {
        NodeIdentity identity = new(1, new PeerAddress("a", 1), 1, ClusterConfiguration.Bootstrap([new PeerAddress("a", 1)]));
        using (DataDirectory directory = DataDirectory.Open(temporary.Location, DiskWriteMode.Direct))
        {
            directory.WriteIdentity(identity);
            Assert.Contains("in use", Assert.Throws<StorageException>(() => DataDirectory.OpenReadOnly(temporary.Location)).Message, StringComparison.Ordinal);
        }
        using DataDirectory one = DataDirectory.OpenReadOnly(temporary.Location);
        using DataDirectory another = DataDirectory.OpenReadOnly(temporary.Location);
        Assert.Equal(1UL, another.ReadIdentity()!.MemberId);
        Assert.Contains("in use", Assert.Throws<StorageException>(() => DataDirectory.Open(temporary.Location, DiskWriteMode.Direct)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => temporary.Dispose();

    private static void Write(string path)
    {
        using SnapshotWriter writer = BackupFile.TryCreate(path, 5, new LogPosition(2, 10), "configuration"u8, 9)!;
        writer.Payload[..300].Fill(7);
        Assert.True(writer.TryWriteChunk(300, 3));
        Assert.Equal(SnapshotPublishStatus.Published, writer.Complete());
    }
}
