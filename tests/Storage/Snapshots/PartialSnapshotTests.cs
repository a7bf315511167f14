using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Storage.Tests.Snapshots;

public sealed class PartialSnapshotTests
{
    private static readonly int[] Lengths = [100, 9000, 4096 - SnapshotChunk.HeaderSize, 70_000, 300];

    private readonly MemoryDisk disk = new();

    private readonly List<byte[]> images;
    private readonly byte[] file;

    public PartialSnapshotTests()
    {
        MemoryDisk sender = new();
        SnapshotStore store = SnapshotStore.Open(sender, SnapshotScript.Cluster);
        Assert.True(SnapshotScript.Take(store, 20, Lengths));
        images = SnapshotScript.Images(store, store.Files[0]);
        file = sender[store.Files[0].Name];
    }

    [Fact]
    public void Received_file_is_the_senders_file()
    {
        SnapshotStore store = Open();
        using (PartialSnapshot partial = Begin(store))
        {
            Assert.Equal(new LogPosition(2, 20), partial.Position);
            for (int i = 1; i < images.Count; i++)
            {
                bool isLast = i == images.Count - 1;
                Assert.Equal(
                    isLast ? PartialSnapshotStatus.Complete : PartialSnapshotStatus.Incomplete,
                    partial.Append(images[i]));
                Assert.Equal(isLast, partial.IsComplete);
            }
            Assert.Empty(store.Files);
            partial.Publish();
        }
        Assert.Equal(file, disk[Assert.Single(store.Files).Name]);
        disk.Crash();
        Assert.Null(SnapshotScript.Read(Open(), new SnapshotFile(20), Lengths));
    }

    [Fact]
    public void Receiving_continues_where_it_stopped()
    {
        for (int left = 0; left < images.Count; left++)
        {
            MemoryDisk target = new();
            SnapshotStore store = SnapshotStore.Open(target, SnapshotScript.Cluster);
            using (PartialSnapshot partial = Begin(store))
            {
                for (int i = 1; i <= left; i++)
                    partial.Append(images[i]);
            }
            target.Crash();
            int syncs = target.FileSyncs;
            store = SnapshotStore.Open(target, SnapshotScript.Cluster);
            using PartialSnapshot again = store.TryReceive(images[0], out PartialSnapshotStatus status)!;
            Assert.Equal(syncs + 1, target.FileSyncs);
            bool isComplete = left == images.Count - 1;
            Assert.Equal(isComplete ? PartialSnapshotStatus.Complete : PartialSnapshotStatus.Incomplete, status);
            Assert.Equal(Math.Min(left, Lengths.Length), again.Chunks);
            for (int i = again.Chunks + 1; i < images.Count; i++)
                again.Append(images[i]);
            again.Publish();
            Assert.Equal(file, target[store.Files[0].Name]);
        }
    }

    [Fact]
    public void Part_that_only_the_page_cache_holds_is_on_the_disk_before_it_counts()
    {
        // Part 0 is the header, and the last part is the footer.
        for (int failing = 0; failing < images.Count; failing++)
        {
            MemoryDisk target = new() { HasPageCache = true, FailingWrite = failing + 1 };
            SnapshotStore store = SnapshotStore.Open(target, SnapshotScript.Cluster);
            Assert.Throws<StorageException>(() =>
            {
                using PartialSnapshot partial = Begin(store);
                for (int i = 1; i < images.Count; i++)
                    partial.Append(images[i]);
            });
            target.SyncDirectory();
            store = SnapshotStore.Open(target, SnapshotScript.Cluster);
            using (PartialSnapshot again = Begin(store))
            {
                for (int i = again.Chunks + 1; i < images.Count; i++)
                    again.Append(images[i]);
                again.Publish();
            }
            target.Crash();
            Assert.Equal(file, target[new SnapshotFile(20).Name]);
        }
    }

    [Fact]
    public void Sender_continues_after_the_chunks_received()
    {
        MemoryDisk sender = new();
        SnapshotStore store = SnapshotStore.Open(sender, SnapshotScript.Cluster);
        Assert.True(SnapshotScript.Take(store, 20, Lengths));
        for (int have = 0; have <= Lengths.Length; have++)
        {
            using SnapshotReader reader = store.Read(store.Files[0]);
            Assert.True(reader.TrySkipTo(have));
            for (int i = have + 1; i < images.Count; i++)
            {
                Assert.Equal(i == images.Count - 1 ? SnapshotReadStatus.End : SnapshotReadStatus.Chunk, reader.Read());
                Assert.True(reader.Image.SequenceEqual(images[i]));
            }
        }
        using SnapshotReader beyond = store.Read(store.Files[0]);
        Assert.False(beyond.TrySkipTo(Lengths.Length + 1));
    }

    [Fact]
    public void Sender_rewinds_at_any_part_even_if_the_file_is_deleted()
    {
        SnapshotStore store = Open();
        Assert.True(SnapshotScript.Take(store, 20, Lengths));
        using SnapshotReader reader = store.TryReadNewest()!;
        Assert.True(SnapshotScript.Take(store, 30, [1]));
        Assert.True(SnapshotScript.Take(store, 40, [1]));
        Assert.False(disk.Exists(new SnapshotFile(20).Name));
        for (int read = 0; read < images.Count; read++)
        {
            reader.Rewind();
            Assert.True(reader.Image.SequenceEqual(images[0]));
            for (int i = 1; i <= read; i++)
            {
                reader.Read();
                Assert.True(reader.Image.SequenceEqual(images[i]));
            }
        }
        Assert.Null(reader.Damage);
    }

    [Fact]
    public void Sender_that_rewinds_notices_a_header_damaged_meanwhile()
    {
        SnapshotStore store = Open();
        Assert.Null(store.TryReadNewest());
        Assert.True(SnapshotScript.Take(store, 20, Lengths));
        using SnapshotReader reader = store.TryReadNewest()!;
        reader.Read();
        disk[new SnapshotFile(20).Name][70] ^= 1;
        reader.Rewind();
        Assert.NotNull(reader.Damage);
        Assert.Equal(SnapshotReadStatus.Damaged, reader.Read());
    }

    [Fact]
    public void Received_file_is_verified_again_before_it_is_published()
    {
        SnapshotStore store = Open();
        using PartialSnapshot partial = Begin(store);
        for (int i = 1; i < images.Count; i++)
            partial.Append(images[i]);
        using (SnapshotReader reader = partial.Read())
        {
            Assert.Equal(partial.Position, reader.Position);
            for (int i = 1; i < images.Count; i++)
            {
                Assert.Equal(i < images.Count - 1 ? SnapshotReadStatus.Chunk : SnapshotReadStatus.End, reader.Read());
                Assert.True(reader.Image.SequenceEqual(images[i]));
            }
        }
        disk[SnapshotFile.ReceivedName][images[0].Length + 50] ^= 1;
        using SnapshotReader damaged = partial.Read();
        Assert.Equal(SnapshotReadStatus.Damaged, damaged.Read());
    }

    [Fact]
    public void Chunks_from_the_first_damaged_one_on_are_received_again()
    {
        SnapshotStore store = Open();
        using (PartialSnapshot partial = Begin(store))
        {
            for (int i = 1; i <= 4; i++)
                partial.Append(images[i]);
        }
        int third = images[0].Length + images[1].Length + images[2].Length;
        disk[SnapshotFile.ReceivedName][third + 50] ^= 1;
        using PartialSnapshot again = Begin(store);
        Assert.Equal(2, again.Chunks);
        for (int i = 3; i < images.Count; i++)
            again.Append(images[i]);
        again.Publish();
        Assert.Equal(file, disk[store.Files[0].Name]);
    }

    [Fact]
    public void One_snapshot_is_received_at_a_time()
    {
        SnapshotStore store = Open();
        using (Begin(store))
            Assert.Throws<InvariantException>(() => Begin(store));
        Begin(store).Dispose();
    }

    [Fact]
    public void Another_snapshot_begins_with_its_first_chunk()
    {
        SnapshotStore store = Open();
        using (PartialSnapshot partial = Begin(store))
            partial.Append(images[1]);
        byte[] other = new byte[IDisk.Alignment];
        SnapshotHeader.Write(
            other, SnapshotScript.Cluster, 99, new LogPosition(2, 20), isBackup: false,
            SnapshotScript.ConfigurationOf(20), version: 1);
        using PartialSnapshot again = store.TryReceive(other, out _)!;
        Assert.Equal(0, again.Chunks);
        Assert.Equal(PartialSnapshotStatus.Invalid, again.Append(images[1]));
        Assert.Equal(other, disk[SnapshotFile.ReceivedName]);
    }

    [Fact]
    public void Repeated_chunk_is_ignored_and_a_chunk_too_early_is_invalid()
    {
        SnapshotStore store = Open();
        using PartialSnapshot partial = Begin(store);
        Assert.Equal(PartialSnapshotStatus.Incomplete, partial.Append(images[1]));
        Assert.Equal(PartialSnapshotStatus.Incomplete, partial.Append(images[1]));
        Assert.Equal(PartialSnapshotStatus.Invalid, partial.Append(images[3]));
        Assert.Equal(PartialSnapshotStatus.Invalid, partial.Append(images[^1]));
        Assert.Equal(1, partial.Chunks);
        for (int i = 2; i < images.Count; i++)
            partial.Append(images[i]);
        Assert.Equal(PartialSnapshotStatus.Complete, partial.Append(images[2]));
        Assert.Equal(PartialSnapshotStatus.Complete, partial.Append(images[^1]));
        partial.Publish();
        Assert.Equal(file, disk[store.Files[0].Name]);
    }

    [Fact]
    public void Damaged_or_shortened_part_is_invalid_and_changes_nothing()
    {
        SnapshotStore store = Open();
        using PartialSnapshot partial = Begin(store);
        for (int i = 1; i < images.Count; i++)
        {
            byte[] before = [.. disk[SnapshotFile.ReceivedName]];
            for (int at = 0; at < images[i].Length; at += 1 + at / 50)
            {
                byte[] damaged = [.. images[i]];
                damaged[at] ^= 4;
                Assert.Equal(PartialSnapshotStatus.Invalid, partial.Append(damaged));
                Assert.Equal(PartialSnapshotStatus.Invalid, partial.Append(images[i].AsSpan(0, at)));
            }
            Assert.Equal(PartialSnapshotStatus.Invalid, partial.Append([.. images[i], 0]));
            Assert.Equal(before, disk[SnapshotFile.ReceivedName]);
            partial.Append(images[i]);
        }
        Assert.True(partial.IsComplete);
    }

    [Fact]
    public void Damaged_foreign_or_stale_header_is_refused()
    {
        SnapshotStore store = Open();
        for (int at = 0; at < images[0].Length; at++)
        {
            byte[] damaged = [.. images[0]];
            damaged[at] ^= 1;
            Assert.Null(store.TryReceive(damaged, out PartialSnapshotStatus status));
            Assert.Equal(PartialSnapshotStatus.Invalid, status);
            Assert.Null(store.TryReceive(images[0].AsSpan(0, at), out status));
            Assert.Equal(PartialSnapshotStatus.Invalid, status);
        }
        Assert.Null(SnapshotStore.Open(disk, 0xC2).TryReceive(images[0], out PartialSnapshotStatus foreign));
        Assert.Equal(PartialSnapshotStatus.Invalid, foreign);
        Assert.True(SnapshotScript.Take(store, 20, [1]));
        Assert.Null(store.TryReceive(images[0], out PartialSnapshotStatus stale));
        Assert.Equal(PartialSnapshotStatus.Stale, stale);
    }

    [Fact]
    public void Full_disk_ends_receiving_and_leaves_no_file()
    {
        for (long free = 0; free < file.Length; free += IDisk.Alignment)
        {
            MemoryDisk full = new() { BytesFree = free };
            SnapshotStore store = SnapshotStore.Open(full, SnapshotScript.Cluster);
            using PartialSnapshot? partial = store.TryReceive(images[0], out PartialSnapshotStatus status);
            for (int i = 1; status == PartialSnapshotStatus.Incomplete; i++)
                status = partial!.Append(images[i]);
            Assert.Equal(PartialSnapshotStatus.DiskFull, status);
            Assert.Empty(full.List());
            Assert.Equal(free, full.BytesFree);
        }
    }

    [Fact]
    public void Partial_snapshot_older_than_the_newest_snapshot_is_deleted()
    {
        SnapshotStore store = Open();
        using (PartialSnapshot partial = Begin(store))
            partial.Append(images[1]);
        Open();
        Assert.True(disk.Exists(SnapshotFile.ReceivedName));
        Assert.True(SnapshotScript.Take(store, 30, [1]));
        Open();
        Assert.False(disk.Exists(SnapshotFile.ReceivedName));
    }

    [Fact]
    public void Receiving_continues_after_death_at_any_moment()
    {
        int received = 0;
        bool isPublished = false;
        int deaths = EveryDeath.Of(
            dying =>
            {
                (received, isPublished) = (0, false);
                SnapshotStore store = SnapshotStore.Open(dying, SnapshotScript.Cluster);
                using PartialSnapshot partial = Begin(store);
                for (int i = 1; i < images.Count; i++)
                {
                    partial.Append(images[i]);
                    received = partial.Chunks;
                }
                partial.Publish();
                isPublished = true;
                dying.SyncDirectory();
            },
            left =>
            {
                SnapshotStore store = SnapshotStore.Open(left, SnapshotScript.Cluster);
                Assert.True(!isPublished || store.Files.Count == 1);
                if (store.Files.Count == 0)
                {
                    using PartialSnapshot again = Begin(store);
                    Assert.True(again.Chunks >= received);
                    for (int i = again.Chunks + 1; i < images.Count; i++)
                        again.Append(images[i]);
                    again.Publish();
                }
                left.Crash();
                Assert.Equal(file, left[new SnapshotFile(20).Name]);
                Assert.Single(left.List());
            });
        Assert.True(deaths > 30, $"{deaths} deaths");
    }

    private SnapshotStore Open() => SnapshotStore.Open(disk, SnapshotScript.Cluster);

    private PartialSnapshot Begin(SnapshotStore store)
    {
        PartialSnapshot? partial = store.TryReceive(images[0], out _);
        Assert.NotNull(partial);
        return partial;
    }
}
