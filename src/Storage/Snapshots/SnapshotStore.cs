using RaftFast.Protocol;
using RaftFast.Storage.Disk;

namespace RaftFast.Storage.Snapshots;

/// <summary>
/// The last two snapshots of a data directory. A snapshot is written under a temporary name, each part durable before
/// the next. A rename gives the file its final name, and is durable before the snapshot counts. Any thread may call:
/// one takes a snapshot, another receives a snapshot, a third sends one.
/// </summary>
public sealed class SnapshotStore
{
    /// <summary>Greatest version of the format of snapshots.</summary>
    public const uint FormatVersion = SnapshotHeader.VersionMax;

    /// <summary>
    /// Number of snapshots kept. If the newest is damaged, the older snapshot and the log after it give the same state.
    /// </summary>
    private const int Kept = 2;

    private readonly IDisk disk;
    private readonly ulong clusterId;
    private readonly bool isReadOnly;
    private readonly Lock gate = new();

    /// <summary>Replaced as a whole, never changed.</summary>
    private volatile SnapshotFile[] files = [];

    /// <summary>Boxed nonce of the partial snapshot; null if there is none.</summary>
    private volatile object? partialNonce;

    /// <summary>
    /// True while a partial snapshot is open. Two at once would write, rename and delete the same file.
    /// </summary>
    private bool isReceiving;

    private SnapshotStore(IDisk disk, ulong clusterId, bool isReadOnly)
    {
        this.disk = disk;
        this.clusterId = clusterId;
        this.isReadOnly = isReadOnly;
    }

    /// <summary>Snapshots, newest first. Recovery reads the snapshots in this order until one is intact.</summary>
    public IReadOnlyList<SnapshotFile> Files => files;

    /// <summary>Size of the newest snapshot's file; 0 if there is none.</summary>
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
    /// Index of the older snapshot, up to which the log may be compacted; 0 while there is only one snapshot. A log
    /// compacted further would be useless if the newest snapshot turned out to be damaged.
    /// </summary>
    public long CompactableIndex
    {
        get
        {
            SnapshotFile[] now = files;
            return now.Length < Kept ? 0 : now[Kept - 1].Index;
        }
    }

    /// <exception cref="StorageException">A snapshot is of another cluster, or of a version that this program doesn't
    /// know.</exception>
    public static SnapshotStore Open(IDisk disk, ulong clusterId)
    {
        SnapshotStore store = List(disk, clusterId, isReadOnly: false);
        store.DeleteLeftovers();
        // The previous process may have been killed between a rename and its sync.
        disk.SyncDirectory();
        return store;
    }

    /// <summary>
    /// Opens the snapshots for reading only: nothing on the disk changes, and no snapshot can be taken or received.
    /// </summary>
    /// <exception cref="StorageException">See <see cref="Open"/>.</exception>
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

    /// <summary>
    /// Opens a snapshot for reading, at its header. The reader reports damage, at once or while it reads.
    /// </summary>
    public SnapshotReader Read(SnapshotFile file)
    {
        SnapshotReader reader = new(disk, file.Name, clusterId);
        reader.Expect(file.Index);
        return reader;
    }

    /// <summary>
    /// Opens the newest snapshot for reading, at its header. The reader reaches the end of the snapshot even if newer
    /// snapshots replace this one.
    /// </summary>
    /// <returns>Null if there is no snapshot.</returns>
    public SnapshotReader? TryReadNewest()
    {
        // Under the lock the file isn't deleted before it is open.
        lock (gate)
            return files.Length == 0 ? null : Read(files[0]);
    }

    /// <summary>
    /// Removes a damaged snapshot from <see cref="Files"/>, so that two intact ones can be kept. The snapshot's file
    /// stays, under another name.
    /// </summary>
    /// <returns>False if the snapshot is no longer in <see cref="Files"/>.</returns>
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

    /// <summary>Begins to take a snapshot. At most one snapshot is taken at a time.</summary>
    /// <param name="position">Position of the last log entry that the snapshot covers.</param>
    /// <param name="configuration">The cluster's configuration at this entry, in bytes that are not interpreted
    /// here.</param>
    /// <param name="nonce">Random number that no other snapshot of the cluster has.</param>
    /// <param name="version">Version of the state: <see cref="Store.KeyValueStore.Version"/>.</param>
    /// <returns>Null if the disk is full.</returns>
    public SnapshotWriter? TryCreate(
        LogPosition position, ReadOnlySpan<byte> configuration, ulong nonce, int version = 1)
    {
        return SnapshotWriter.TryCreate(
            disk, SnapshotFile.NextName, clusterId, nonce, position, isBackup: false, configuration, version,
            () => Publish(SnapshotFile.NextName, new SnapshotFile(position.Index)));
    }

    /// <summary>
    /// Begins to receive a snapshot, or continues to receive it. At most one snapshot is received at a time.
    /// </summary>
    /// <param name="header">Header of the sender's snapshot: <see cref="SnapshotReader.Image"/> before the first
    /// chunk.</param>
    /// <param name="verified">
    /// Called after each part of the partial snapshot that is verified: a long one takes long.
    /// </param>
    /// <returns>Null if <paramref name="status"/> is neither Incomplete nor Complete.</returns>
    public PartialSnapshot? TryReceive(
        ReadOnlySpan<byte> header, out PartialSnapshotStatus status, Action? verified = null)
    {
        status = PartialSnapshotStatus.Invalid;
        bool isHeader = SnapshotHeader.TryRead(header, out SnapshotHeader read, out _) == DecodeStatus.Complete;
        if (!isHeader || header.Length != read.BytesOnDisk || read.ClusterId != clusterId || read.IsBackup)
            return null;
        status = PartialSnapshotStatus.Stale;
        if (read.Position.Index <= NewestIndex)
            return null;
        Invariant.Hold(!isReceiving);
        isReceiving = true;
        PartialSnapshot? partial = PartialSnapshot.TryOpen(this, disk, header, read, verified);
        isReceiving = partial is not null;
        status = partial is null ? PartialSnapshotStatus.DiskFull
            : partial.IsComplete ? PartialSnapshotStatus.Complete
            : PartialSnapshotStatus.Incomplete;
        return partial;
    }

    /// <summary>
    /// Compares a sender's header with the partial snapshot on the disk. Any thread, without the disk.
    /// </summary>
    public PartialSnapshotMatch MatchPartial(ReadOnlySpan<byte> header)
    {
        if (partialNonce is not ulong nonce)
            return PartialSnapshotMatch.None;
        bool isHeader = SnapshotHeader.TryRead(header, out SnapshotHeader read, out _) == DecodeStatus.Complete;
        return isHeader && read.Nonce == nonce ? PartialSnapshotMatch.Same : PartialSnapshotMatch.Other;
    }

    /// <summary>The snapshot that was received is closed.</summary>
    internal void EndReceiving() => isReceiving = false;

    /// <summary>Notes the partial snapshot that is on the disk now; null for none.</summary>
    internal void NotePartial(ulong? nonce) => partialNonce = nonce;

    /// <summary>Gives a complete and durable file its final name, and makes it the newest snapshot.</summary>
    internal SnapshotPublishStatus Publish(string name, SnapshotFile file)
    {
        lock (gate)
        {
            if (file.Index <= NewestIndex)
            {
                disk.Delete(name);
                partialNonce = name == SnapshotFile.ReceivedName ? null : partialNonce;
                return SnapshotPublishStatus.Stale;
            }
            try
            {
                disk.Rename(name, file.Name);
            }
            catch (StorageException error) when (error.IsDiskFull)
            {
                return SnapshotPublishStatus.DiskFull;
            }
            disk.SyncDirectory();
            partialNonce = name == SnapshotFile.ReceivedName ? null : partialNonce;
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
        else
            NotePartial(received.Nonce);
    }
}
