using RaftFast.Protocol;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Tests.Snapshots;

namespace RaftFast.Storage.Tests.Disk;

public sealed class FileDiskTests : IDisposable
{
    private readonly TemporaryDirectory directory = new();

    public static TheoryData<DiskWriteMode> Modes => [DiskWriteMode.Direct, DiskWriteMode.Buffered];

    [Theory]
    [MemberData(nameof(Modes))]
    public void File_is_made_of_zeros_and_keeps_what_is_written(DiskWriteMode mode)
    {
        FileDisk disk = new(directory.Location, mode);
        const int bytes = (3 << 20) + IDisk.Alignment;
        using AlignedMemory memory = new(bytes);
        using (IDiskFile file = disk.Create("a", bytes))
        {
            Assert.Equal(bytes, file.Length);
            memory.Span.Fill(1);
            Assert.Equal(bytes, file.Read(0, memory.Span));
            Assert.False(memory.Span.ContainsAnyExcept((byte)0));
            memory.Span.Fill(0xA5);
            file.Write(IDisk.Alignment, memory.Span[..(2 * IDisk.Alignment)]);
        }
        byte[] read = File.ReadAllBytes(directory.PathOf("a"));
        Assert.Equal(bytes, read.Length);
        Assert.False(read.AsSpan(0, IDisk.Alignment).ContainsAnyExcept((byte)0));
        Assert.False(read.AsSpan(IDisk.Alignment, 2 * IDisk.Alignment).ContainsAnyExcept((byte)0xA5));
        Assert.False(read.AsSpan(3 * IDisk.Alignment).ContainsAnyExcept((byte)0));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void Read_stops_at_the_end_of_the_file(DiskWriteMode mode)
    {
        File.WriteAllBytes(directory.PathOf("cut"), [.. Enumerable.Range(0, 5000).Select(i => (byte)i)]);
        using IDiskFile file = new FileDisk(directory.Location, mode).Open("cut");
        using AlignedMemory memory = new(4 * IDisk.Alignment);
        Assert.Equal(5000, file.Length);
        Assert.Equal(5000, file.Read(0, memory.Span));
        Assert.Equal(904, file.Read(IDisk.Alignment, memory.Span));
        Assert.Equal(4096 % 256, memory.Span[0]);
        Assert.Equal(0, file.Read(4 * IDisk.Alignment, memory.Span));
    }

    [Fact]
    public void Transfer_that_is_not_aligned_is_a_bug()
    {
        using IDiskFile file = new FileDisk(directory.Location, DiskWriteMode.Buffered).Create("a", IDisk.Alignment);
        using AlignedMemory memory = new(2 * IDisk.Alignment);
        Assert.Throws<InvariantException>(() => file.Write(1, memory.Span[..IDisk.Alignment]));
        Assert.Throws<InvariantException>(() => file.Write(0, memory.Span[..100]));
        Assert.Throws<InvariantException>(() => file.Write(0, memory.Span.Slice(8, IDisk.Alignment)));
    }

    [Fact]
    public void Names_are_listed_renamed_and_deleted()
    {
        FileDisk disk = new(directory.Location, DiskWriteMode.Direct);
        foreach (string name in new[] { "b", "a", "B" })
            disk.Create(name, 0).Dispose();
        Assert.Equal(["B", "a", "b"], disk.List());
        disk.Rename("a", "b");
        disk.Delete("B");
        disk.SyncDirectory();
        Assert.Equal(["b"], disk.List());
        Assert.True(disk.Exists("b"));
        Assert.False(disk.Exists("a"));
    }

    [Fact]
    public void Missing_or_existing_file_is_reported_in_one_line()
    {
        FileDisk disk = new(directory.Location, DiskWriteMode.Direct);
        disk.Create("a", 0).Dispose();
        Action[] actions = [() => disk.Open("b"), () => disk.Create("a", 0), () => disk.Rename("c", "d")];
        foreach (Action action in actions)
        {
            StorageException failure = Assert.Throws<StorageException>(action);
            Assert.Contains(directory.Location, failure.Message, StringComparison.Ordinal);
            Assert.DoesNotContain('\n', failure.Message);
        }
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void Full_disk_leaves_nothing_behind(DiskWriteMode mode)
    {
        // tmpfs refuses a file larger than itself at once. Other file systems would fill up first.
        const string tmpfs = "/dev/shm";
        if (!Directory.Exists(tmpfs) || new DriveInfo(tmpfs).DriveFormat != "tmpfs")
            Assert.Skip("no tmpfs at /dev/shm");
        string name = $"raftfast-{Guid.NewGuid()}";
        FileDisk disk = new(tmpfs, mode);
        Assert.Throws<DiskFullException>(
            () => disk.Create(name, new DriveInfo(tmpfs).TotalSize * 4 / IDisk.Alignment * IDisk.Alignment));
        Assert.False(disk.Exists(name));
        disk.Create(name, IDisk.Alignment).Dispose();
        disk.Delete(name);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Log_works_on_a_real_disk_with_a_thread_for_each_part(DiskWriteMode mode)
    {
        const int entries = 20_000;
        using LogWriter log = new(new FileDisk(directory.Location, mode));
        await Write(log, entries, compactsEvery: int.MaxValue);
        log.Verify();
        log.Dispose();
        using LogWriter again = new(new FileDisk(directory.Location, mode));
        Assert.True(again.Recovery.Segments > 2);
        again.VerifySame(log);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public async Task Log_is_compacted_on_a_real_disk_with_a_thread_for_each_part(DiskWriteMode mode)
    {
        const int entries = 20_000;
        FileDisk disk = new(directory.Location, mode);
        using LogWriter log = new(disk, LogWriter.Tiny);
        await Write(log, entries, compactsEvery: 100);
        log.CompactTo(entries - 50);
        Assert.True(log.Wal.TryPrepareSegment());
        log.Verify();
        Assert.InRange(log.Wal.BytesOnDisk, LogWriter.Tiny.SegmentBytes, 60 * LogWriter.Tiny.SegmentBytes);
        Assert.Equal(
            new DirectoryInfo(directory.Location).EnumerateFiles().Sum(file => file.Length), log.Wal.BytesOnDisk);
        log.Dispose();
        using LogWriter again = new(disk, LogWriter.Tiny, new LogPosition(1, entries - 50));
        Assert.True(again.Base.Index > entries / 2);
        again.Verify();
        Assert.Equal(entries, again.Recovery.Last.Index);
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void Snapshots_are_taken_and_sent_on_a_real_disk(DiskWriteMode mode)
    {
        FileDisk disk = new(directory.Location, mode);
        SnapshotStore store = SnapshotStore.Open(disk, SnapshotScript.Cluster);
        foreach (long index in new[] { 10, 20, 30 })
            Assert.True(SnapshotScript.Take(store, index));
        Assert.Equal(2, disk.List().Count);
        store = SnapshotStore.Open(disk, SnapshotScript.Cluster);
        Assert.Null(SnapshotScript.Read(store, store.Files[0]));
        using TemporaryDirectory other = new();
        SnapshotStore follower = SnapshotStore.Open(new FileDisk(other.Location, mode), SnapshotScript.Cluster);
        List<byte[]> images = SnapshotScript.Images(store, store.Files[0]);
        using PartialSnapshot receiver = follower.TryReceive(images[0], out _)!;
        for (int i = 1; i < images.Count; i++)
            Assert.True(
                receiver.Append(images[i]) is PartialSnapshotStatus.Incomplete or PartialSnapshotStatus.Complete);
        receiver.Publish();
        Assert.Equal(
            File.ReadAllBytes(directory.PathOf(store.Files[0].Name)),
            File.ReadAllBytes(other.PathOf(follower.Files[0].Name)));
    }

    [Theory]
    [MemberData(nameof(Modes))]
    public void File_grows_by_writes(DiskWriteMode mode)
    {
        FileDisk disk = new(directory.Location, mode);
        using AlignedMemory memory = new(2 * IDisk.Alignment);
        memory.Span.Fill(7);
        using IDiskFile file = disk.Create("a", 0);
        Assert.True(file.TryWrite(0, memory.Span));
        Assert.True(file.TryWrite(2 * IDisk.Alignment, memory.Span[..IDisk.Alignment]));
        Assert.Equal(3 * IDisk.Alignment, file.Length);
        Assert.False(File.ReadAllBytes(directory.PathOf("a")).AsSpan().ContainsAnyExcept((byte)7));
    }

    /// <summary>/dev/full answers every write with ENOSPC.</summary>
    [Fact]
    public void Full_disk_is_a_value_when_a_file_grows()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("no /dev/full");
        using AlignedMemory memory = new(IDisk.Alignment);
        memory.Span.Clear();
        using (LinuxFile file = LinuxFile.Open("/dev/full", DiskWriteMode.Buffered))
        {
            Assert.False(file.TryWrite(0, memory.Span));
            StorageException failure = Assert.Throws<StorageException>(() => file.Write(0, memory.Span));
            Assert.Contains("a file system that copies on write", failure.Message, StringComparison.Ordinal);
        }
        using PortableFile portable = PortableFile.Open("/dev/full");
        Assert.False(portable.TryWrite(0, memory.Span));
        Assert.Throws<StorageException>(() => portable.Write(0, memory.Span));
    }

    private static async Task Write(LogWriter log, int entries, int compactsEvery)
    {
        Wal wal = log.Wal;
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(
            TestContext.Current.CancellationToken);
        stop.CancelAfter(TimeSpan.FromSeconds(60));
        System.Collections.Concurrent.ConcurrentQueue<WalBatch> completions = new();
        using SemaphoreSlim published = new(0);
        Task writer = Task.Run(() =>
        {
            for (long last = 0; last < entries;)
            {
                published.Wait(stop.Token);
                while (wal.Writer.TryTake(out WalBatch batch))
                {
                    wal.Writer.Write(batch);
                    last = batch.Last.Index;
                    completions.Enqueue(batch);
                }
            }
        }, stop.Token);
        Task preparer = Task.Run(() =>
        {
            while (!writer.IsCompleted)
            {
                if (!wal.NextSegmentIsReady || wal.HasSegmentsToDelete)
                    Assert.True(wal.TryPrepareSegment());
                Thread.Yield();
            }
        }, stop.Token);
        long durable = 0;
        long compacted = 0;
        for (int index = 1; durable < entries;)
        {
            stop.Token.ThrowIfCancellationRequested();
            for (int turn = 0; turn < 20 && index <= entries; turn++, index++)
                log.Append(1, index, index % 1000);
            if (wal.TryPublish(out _))
                published.Release();
            while (completions.TryDequeue(out WalBatch batch))
            {
                wal.Completed(batch);
                durable = batch.Last.Index;
                wal.Release(durable);
            }
            if (durable - compacted < compactsEvery)
                continue;
            compacted = durable;
            log.CompactTo(compacted - 50);
        }
        await writer;
        await preparer;
    }

    public void Dispose() => directory.Dispose();
}
