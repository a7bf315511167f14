using System.Globalization;
using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Storage.Tests.Snapshots;

public sealed class SnapshotStoreTests
{
    private readonly MemoryDisk disk = new();

    [Fact]
    public void Snapshot_is_read_as_taken()
    {
        SnapshotStore store = Open();
        Assert.Empty(store.Files);
        Assert.True(SnapshotScript.Take(store, 17));
        Assert.Null(SnapshotScript.Read(store, Assert.Single(store.Files)));
        Assert.Equal(["snapshot-00000000000000000017.snap"], disk.List());
        disk.Crash();
        store = Open();
        Assert.Null(SnapshotScript.Read(store, Assert.Single(store.Files)));
    }

    [Fact]
    public void Snapshot_without_entries_is_valid()
    {
        SnapshotStore store = Open();
        Assert.True(SnapshotScript.Take(store, 1, []));
        Assert.Null(SnapshotScript.Read(store, store.Files[0], []));
        Assert.Equal(2 * IDisk.Alignment, disk[store.Files[0].Name].Length);
    }

    [Fact]
    public void Largest_configuration_and_largest_entry_fit()
    {
        byte[] configuration = new byte[1 << 20];
        configuration.AsSpan().Fill(3);
        SnapshotStore store = Open();
        using (SnapshotWriter writer = store.TryCreate(new LogPosition(1, 1), configuration, 1)!)
        {
            Assert.True(writer.Payload.Length >= PutCommand.KeyBytesMax + PutCommand.ValueBytesMax + Record.HeaderSize);
            writer.Payload.Fill(9);
            Assert.True(writer.TryWriteChunk(writer.Payload.Length, 1));
            Assert.Equal(SnapshotPublishStatus.Published, writer.Complete());
        }
        using SnapshotReader reader = store.Read(store.Files[0]);
        Assert.True(reader.Configuration.SequenceEqual(configuration));
        Assert.Equal(SnapshotReadStatus.Chunk, reader.Read());
        Assert.Equal(SnapshotChunk.PayloadBytesMax, reader.Payload.Length);
        Assert.False(reader.Payload.ContainsAnyExcept((byte)9));
        Assert.Equal(SnapshotReadStatus.End, reader.Read());
    }

    [Fact]
    public void Last_two_snapshots_are_kept_newest_first()
    {
        SnapshotStore store = Open();
        Assert.Equal(0, store.CompactableIndex);
        for (int index = 10; index <= 50; index += 10)
        {
            Assert.True(SnapshotScript.Take(store, index, [100]));
            Assert.Equal(index == 10 ? 0 : index - 10, store.CompactableIndex);
        }
        Assert.Equal([new(50), new(40)], store.Files);
        Assert.Equal([new(50), new(40)], Open().Files);
        Assert.Equal(2, disk.List().Count);
    }

    [Fact]
    public void Temporary_file_of_an_incomplete_attempt_is_deleted()
    {
        SnapshotStore store = Open();
        SnapshotWriter attempt = store.TryCreate(new LogPosition(1, 5), default, 1)!;
        Assert.True(attempt.TryWriteChunk(100, 1));
        Assert.Equal(["snapshot-next.tmp"], disk.List());
        MemoryDisk killed = disk.Copy();
        SnapshotStore.Open(killed, SnapshotScript.Cluster);
        Assert.Empty(killed.List());
        attempt.Dispose();
        SnapshotWriter another = store.TryCreate(new LogPosition(1, 5), default, 1)!;
        Assert.Equal(IDisk.Alignment, disk["snapshot-next.tmp"].Length);
        another.GiveUp();
        another.Dispose();
        Assert.Empty(disk.List());
        Assert.True(SnapshotScript.Take(store, 5));
    }

    [Fact]
    public void Snapshot_of_another_cluster_is_refused()
    {
        Assert.True(SnapshotScript.Take(Open(), 17));
        string message = Assert.Throws<StorageException>(() => SnapshotStore.Open(disk, 0xC2)).Message;
        Assert.Contains(
            "snapshot-00000000000000000017.snap is of cluster 00000000000000c1, not of cluster 00000000000000c2",
            message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Format_of_a_later_version_is_refused_as_such()
    {
        SnapshotStore store = Open();
        Assert.True(SnapshotScript.Take(store, 17));
        byte[] bytes = disk[store.Files[0].Name];
        bytes[8] = (byte)(SnapshotHeader.VersionMax + 1);
        int end = SnapshotHeader.Size + SnapshotScript.ConfigurationOf(17).Length;
        BitConverter.TryWriteBytes(bytes, Crc32C.Compute(bytes.AsSpan(4, end - 4)));
        string message = Assert.Throws<StorageException>(Open).Message;
        Assert.Contains(
            $"has format {SnapshotHeader.VersionMax + 1}, and this program knows up to {SnapshotHeader.VersionMax}; "
                + "start the program that wrote it",
            message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Damage_anywhere_is_found_and_the_older_snapshot_is_intact()
    {
        int[] lengths = [1, 5000, 4096 - SnapshotChunk.HeaderSize, 777];
        SnapshotStore store = Open();
        Assert.True(SnapshotScript.Take(store, 10, lengths));
        Assert.True(SnapshotScript.Take(store, 20, lengths));
        string name = store.Files[0].Name;
        byte[] bytes = disk[name];
        for (int at = 0; at < bytes.Length; at++)
        {
            bytes[at] ^= (byte)(1 << at % 8);
            if (at < 200 || at % 7 == 0 || at % 4096 < 64)
            {
                SnapshotStore again = Open();
                string? damage = SnapshotScript.Read(again, again.Files[0], lengths);
                Assert.NotNull(damage);
                int found = int.Parse(damage.Split("byte ")[1].Split(':')[0], CultureInfo.InvariantCulture);
                Assert.InRange(at, found, found + SnapshotChunk.BytesMax);
                Assert.Null(SnapshotScript.Read(again, again.Files[1], lengths));
            }
            bytes[at] ^= (byte)(1 << at % 8);
        }
        Assert.Null(SnapshotScript.Read(Open(), new SnapshotFile(20), lengths));
    }

    [Fact]
    public void File_shortened_or_lengthened_anywhere_is_damaged()
    {
        int[] lengths = [1, 5000, 777];
        SnapshotStore store = Open();
        Assert.True(SnapshotScript.Take(store, 10, lengths));
        string name = store.Files[0].Name;
        byte[] bytes = disk[name];
        for (int length = 0; length < bytes.Length + 5000; length += 61)
        {
            disk[name] = length <= bytes.Length ? bytes[..length] : [.. bytes, .. new byte[length - bytes.Length]];
            Assert.NotNull(SnapshotScript.Read(Open(), new SnapshotFile(10), lengths));
        }
        for (int block = 0; block < bytes.Length; block += IDisk.Alignment)
        {
            disk[name] = [.. bytes[..block], .. bytes[(block + IDisk.Alignment)..]];
            Assert.NotNull(SnapshotScript.Read(Open(), new SnapshotFile(10), lengths));
        }
        disk[name] = bytes;
        Assert.Null(SnapshotScript.Read(Open(), new SnapshotFile(10), lengths));
    }

    [Fact]
    public void Chunk_of_another_snapshot_is_damage()
    {
        // Two members take a snapshot with the same contents, position and configuration.
        MemoryDisk other = new();
        foreach ((MemoryDisk target, ulong nonce) in new[] { (disk, 1ul), (other, 2ul) })
        {
            SnapshotStore store = SnapshotStore.Open(target, SnapshotScript.Cluster);
            using SnapshotWriter writer = store.TryCreate(new LogPosition(2, 10), default, nonce)!;
            for (int i = 0; i < 3; i++)
            {
                writer.Payload[..100].Fill((byte)i);
                Assert.True(writer.TryWriteChunk(100, 1));
            }
            Assert.Equal(SnapshotPublishStatus.Published, writer.Complete());
        }
        SnapshotFile file = new(10);
        for (int block = 1; block <= 4; block++)
        {
            MemoryDisk mixed = disk.Copy();
            int at = block * IDisk.Alignment;
            other[file.Name].AsSpan(at, IDisk.Alignment).CopyTo(mixed[file.Name].AsSpan(at));
            using SnapshotReader reader = SnapshotStore.Open(mixed, SnapshotScript.Cluster).Read(file);
            while (reader.Read() == SnapshotReadStatus.Chunk)
                Assert.True(reader.Chunk.Sequence < block);
            Assert.Contains($"is damaged at byte {at}:", reader.Damage, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Chunks_in_another_order_are_damage()
    {
        SnapshotStore store = Open();
        Assert.True(SnapshotScript.Take(store, 10, [100, 100, 100]));
        byte[] bytes = disk[store.Files[0].Name];
        byte[] second = bytes[(2 * IDisk.Alignment)..(3 * IDisk.Alignment)];
        bytes.AsSpan(3 * IDisk.Alignment, IDisk.Alignment).CopyTo(bytes.AsSpan(2 * IDisk.Alignment));
        second.CopyTo(bytes, 3 * IDisk.Alignment);
        using SnapshotReader reader = store.Read(store.Files[0]);
        Assert.Equal(SnapshotReadStatus.Chunk, reader.Read());
        Assert.Equal(SnapshotReadStatus.Damaged, reader.Read());
        Assert.Contains("byte 8192: chunk 3 is where chunk 2 should be", reader.Damage, StringComparison.Ordinal);
        Assert.Equal(SnapshotReadStatus.Damaged, reader.Read());
    }

    [Fact]
    public void File_under_another_snapshots_name_is_damaged()
    {
        Assert.True(SnapshotScript.Take(Open(), 10));
        disk.Rename(new SnapshotFile(10).Name, new SnapshotFile(11).Name);
        SnapshotStore store = Open();
        using SnapshotReader reader = store.Read(store.Files[0]);
        Assert.Equal(SnapshotReadStatus.Damaged, reader.Read());
        Assert.Contains("its name says entry 11, and its header entry 10", reader.Damage, StringComparison.Ordinal);
    }

    [Fact]
    public void Snapshot_set_aside_displaces_no_intact_snapshot()
    {
        SnapshotStore store = Open();
        Assert.True(SnapshotScript.Take(store, 10, [5]));
        Assert.True(SnapshotScript.Take(store, 20, [5]));
        store.SetAside(store.Files[0]);
        Assert.Equal([new(10)], store.Files);
        Assert.Equal(0, store.CompactableIndex);
        Assert.True(SnapshotScript.Take(store, 30, [5]));
        disk.Crash();
        store = Open();
        Assert.Equal([new(30), new(10)], store.Files);
        Assert.True(disk.Exists("snapshot-00000000000000000020.snap.damaged"));
    }

    [Fact]
    public void Full_disk_ends_the_attempt_and_keeps_the_older_snapshot()
    {
        int[] lengths = [1, 5000, 100_000, 777];
        SnapshotStore store = Open();
        Assert.True(SnapshotScript.Take(store, 10, lengths));
        byte[] before = [.. disk[store.Files[0].Name]];
        long whole = before.Length;
        for (long free = 0; free < whole; free += IDisk.Alignment)
        {
            disk.BytesFree = free;
            Assert.False(SnapshotScript.Take(store, 20, lengths));
            Assert.Equal(free, disk.BytesFree);
            Assert.Equal([store.Files[0].Name], disk.List());
        }
        Assert.Equal(before, disk[store.Files[0].Name]);
        disk.BytesFree = whole;
        Assert.True(SnapshotScript.Take(store, 20, lengths));
        Assert.Null(SnapshotScript.Read(store, store.Files[0], lengths));
    }

    [Fact]
    public void Writing_and_reading_a_chunk_allocates_nothing()
    {
        using TemporaryDirectory directory = new();
        FileDisk files = new(directory.Location, DiskWriteMode.Buffered);
        SnapshotStore store = SnapshotStore.Open(files, SnapshotScript.Cluster);
        using (SnapshotWriter writer = store.TryCreate(new LogPosition(1, 1), default, 1)!)
        {
            writer.Payload.Clear();
            Assert.True(writer.TryWriteChunk(100_000, 1));
            Assert.Equal(0, Allocations.Of(() =>
            {
                for (int i = 0; i < 50; i++)
                    Assert.True(writer.TryWriteChunk(100_000, 1));
            }));
            Assert.Equal(SnapshotPublishStatus.Published, writer.Complete());
        }
        using SnapshotReader reader = store.Read(store.Files[0]);
        Assert.Equal(SnapshotReadStatus.Chunk, reader.Read());
        SnapshotReadStatus read = SnapshotReadStatus.Chunk;
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (int i = 0; i < 5 && read == SnapshotReadStatus.Chunk; i++)
                read = reader.Read();
        }));
        while (read == SnapshotReadStatus.Chunk)
            read = reader.Read();
        Assert.Equal(SnapshotReadStatus.End, read);
    }

    [Fact]
    public void Snapshot_not_newer_than_the_newest_is_deleted_when_complete()
    {
        SnapshotStore store = Open();
        Assert.True(SnapshotScript.Take(store, 10, [5]));
        Assert.False(SnapshotScript.Take(store, 10, [5]));
        Assert.False(SnapshotScript.Take(store, 9, [5]));
        Assert.Equal([new SnapshotFile(10)], store.Files);
        Assert.Equal([new SnapshotFile(10).Name], disk.List());
    }

    [Fact]
    public void Death_at_any_moment_leaves_the_last_snapshot_or_the_new_one()
    {
        int[] lengths = [100, 9000, 300];
        long published = 0;
        int deaths = EveryDeath.Of(
            dying =>
            {
                published = 0;
                SnapshotStore store = SnapshotStore.Open(dying, SnapshotScript.Cluster);
                for (int index = 10; index <= 40; index += 10)
                {
                    Assert.True(SnapshotScript.Take(store, index, lengths));
                    published = index;
                }
            },
            left =>
            {
                SnapshotStore store = SnapshotStore.Open(left, SnapshotScript.Cluster);
                long newest = store.Files.Count == 0 ? 0 : store.Files[0].Index;
                Assert.True(newest == published || newest == published + 10);
                foreach (SnapshotFile file in store.Files)
                    Assert.Null(SnapshotScript.Read(store, file, lengths));
                Assert.DoesNotContain(left.List(), name => name.EndsWith(".tmp", StringComparison.Ordinal));
                if (published > 10)
                    Assert.InRange(store.Files.Count, 2, 4);
                Assert.True(SnapshotScript.Take(store, 100, lengths));
                left.Crash();
                store = SnapshotStore.Open(left, SnapshotScript.Cluster);
                Assert.Equal(100, store.Files[0].Index);
                Assert.Equal(published == 0 && newest == 0 ? 1 : 2, store.Files.Count);
            });
        Assert.True(deaths > 100, $"{deaths} deaths");
    }

    private SnapshotStore Open() => SnapshotStore.Open(disk, SnapshotScript.Cluster);
}
