using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Snapshots;

/// <summary>
/// The snapshots of a data directory: the last two. A snapshot is written under a temporary name, each part durable before the next, and
/// gets its own by a rename that is durable when it counts. Any thread: one takes a snapshot, another receives one, a third sends it.
/// </summary>
public sealed class SnapshotStore
{
    /// <summary>Version of the files' format.</summary>
    public const uint FormatVersion = SnapshotHeader.Version;

    /// <summary>If the newest turns out to be damaged, the one before it and the log behind that give the same state.</summary>
    private const int Kept = 2;

    private readonly IDisk disk;
    private readonly ulong clusterId;
    private readonly bool isReadOnly;
    private readonly Lock gate = new();

    /// <summary>Replaced, never changed.</summary>
    private volatile SnapshotFile[] files = [];

    private SnapshotStore(IDisk disk, ulong clusterId, bool isReadOnly)
    {
        this.disk = disk;
        this.clusterId = clusterId;
        this.isReadOnly = isReadOnly;
    }

    /// <summary>Newest first. To be read in this order until one is intact.</summary>
    public IReadOnlyList<SnapshotFile> Files => files;

    /// <summary>Of the newest one's file; 0 without any.</summary>
    public long NewestBytes
    {
        get
        {
            lock (gate)
            {
                if (files.Length == 0)
                    return 0;
                using IDiskFile file = disk.Open(files[0].Name);
                return file.Length;
            }
        }
    }

    /// <summary>
    /// Up to this entry the log is not needed even if the newest snapshot turns out to be damaged; 0 while there is no older one.
    /// A log compacted further is worth nothing without the newest.
    /// </summary>
    public long CompactableIndex
    {
        get
        {
            SnapshotFile[] now = files;
            return now.Length < Kept ? 0 : now[Kept - 1].Index;
        }
    }

    /// <exception cref="StorageException">A snapshot is of another cluster, or of a version that this program doesn't know.</exception>
    public static SnapshotStore Open(IDisk disk, ulong clusterId)
    {
        SnapshotStore store = List(disk, clusterId, isReadOnly: false);
        store.DeleteLeftovers();
        // The process before this one may have been killed between a rename and its sync.
        disk.SyncDirectory();
        return store;
    }

    /// <summary>For looking at them: nothing on the disk changes, and none can be taken or received.</summary>
    /// <exception cref="StorageException">As <see cref="Open"/>.</exception>
    public static SnapshotStore OpenReadOnly(IDisk disk, ulong clusterId) => List(disk, clusterId, isReadOnly: true);

    private static SnapshotStore List(IDisk disk, ulong clusterId, bool isReadOnly)
    {
        SnapshotStore store = new(disk, clusterId, isReadOnly);
        foreach (string name in disk.List())
        {
            if (SnapshotFile.TryParseName(name, out SnapshotFile file))
                store.files = [file, .. store.files];
        }
        foreach (SnapshotFile file in store.files)
        {
            using SnapshotReader reader = store.Read(file);
            if (reader.Refusal is not null)
                throw new StorageException(reader.Refusal);
        }
        return store;
    }

    /// <summary>At its header. A damaged one says so at once or while it is read.</summary>
    public SnapshotReader Read(SnapshotFile file)
    {
        SnapshotReader reader = new(disk, file.Name, clusterId);
        reader.Expect(file.Index);
        return reader;
    }

    /// <summary>The newest, at its header. It can be read to its end though others take its place.</summary>
    /// <returns>Null when there is none.</returns>
    public SnapshotReader? TryReadNewest()
    {
        // Opened while it can't be deleted.
        lock (gate)
            return files.Length == 0 ? null : Read(files[0]);
    }

    /// <summary>A damaged snapshot counts no longer, and keeps no intact one from being kept. Its file stays, under another name.</summary>
    /// <returns>False when it is no longer there.</returns>
    public bool SetAside(SnapshotFile file)
    {
        lock (gate)
        {
            int place = Array.IndexOf(files, file);
            if (place < 0)
                return false;
            files = [.. files[..place], .. files[(place + 1)..]];
            if (!isReadOnly)
            {
                disk.Rename(file.Name, file.DamagedName);
                disk.SyncDirectory();
            }
            return true;
        }
    }

    /// <summary>Begins to take a snapshot. One at a time.</summary>
    /// <param name="position">The last log entry that it covers.</param>
    /// <param name="configuration">The cluster's at that entry. Not looked into.</param>
    /// <param name="nonce">Drawn at random: no other snapshot of the cluster may have it.</param>
    /// <returns>Null if the disk is full.</returns>
    public SnapshotWriter? TryCreate(LogPosition position, ReadOnlySpan<byte> configuration, ulong nonce)
    {
        return SnapshotWriter.TryCreate(
            disk, SnapshotFile.NextName, clusterId, nonce, position, isBackup: false, configuration,
            () => Publish(SnapshotFile.NextName, new SnapshotFile(position.Index)));
    }

    /// <summary>Begins to receive a snapshot, or goes on with it. One at a time.</summary>
    /// <param name="header">What <see cref="SnapshotReader.Image"/> gave the sender before it read a chunk.</param>
    /// <returns>Null if <paramref name="status"/> is neither Incomplete nor Complete.</returns>
    public PartialSnapshot? TryReceive(ReadOnlySpan<byte> header, out PartialSnapshotStatus status)
    {
        status = PartialSnapshotStatus.Invalid;
        bool isHeader = SnapshotHeader.TryRead(header, out SnapshotHeader read, out _) == DecodeStatus.Complete;
        if (!isHeader || header.Length != read.BytesOnDisk || read.ClusterId != clusterId || read.IsBackup)
            return null;
        status = PartialSnapshotStatus.Stale;
        if (read.Position.Index <= NewestIndex)
            return null;
        PartialSnapshot? receiver = PartialSnapshot.TryOpen(this, disk, header, read);
        status = receiver is null ? PartialSnapshotStatus.DiskFull
            : receiver.IsComplete ? PartialSnapshotStatus.Complete
            : PartialSnapshotStatus.Incomplete;
        return receiver;
    }

    /// <summary>A file that is complete and durable gets its name, and becomes the newest.</summary>
    internal SnapshotPublishStatus Publish(string name, SnapshotFile file)
    {
        lock (gate)
        {
            if (file.Index <= NewestIndex)
            {
                disk.Delete(name);
                return SnapshotPublishStatus.Stale;
            }
            disk.Rename(name, file.Name);
            disk.SyncDirectory();
            SnapshotFile[] all = [file, .. files];
            files = all[..Math.Min(Kept, all.Length)];
            if (all.Length == files.Length)
                return SnapshotPublishStatus.Published;
            foreach (SnapshotFile old in all.AsSpan(Kept))
                disk.Delete(old.Name);
            disk.SyncDirectory();
            return SnapshotPublishStatus.Published;
        }
    }

    private long NewestIndex
    {
        get
        {
            SnapshotFile[] now = files;
            return now.Length == 0 ? 0 : now[0].Index;
        }
    }

    private void DeleteLeftovers()
    {
        if (disk.Exists(SnapshotFile.NextName))
            disk.Delete(SnapshotFile.NextName);
        if (!disk.Exists(SnapshotFile.ReceivedName))
            return;
        using SnapshotReader received = new(disk, SnapshotFile.ReceivedName, clusterId);
        if (received.Damage is not null || received.Position.Index <= NewestIndex)
            disk.Delete(SnapshotFile.ReceivedName);
    }
}
