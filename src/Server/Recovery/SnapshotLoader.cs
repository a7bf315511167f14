using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Recovery;

/// <summary>Loads a snapshot's entries into a new store. For one thread.</summary>
internal sealed class SnapshotLoader : IDisposable
{
    private readonly SnapshotReader reader;
    private KeyValueStore? store;

    public SnapshotLoader(SnapshotReader reader)
    {
        this.reader = reader;
        EntriesInAll = reader.EntriesInAll();
        store = new KeyValueStore(EntriesInAll);
        Configuration = SnapshotConfiguration.TryRead(reader.Configuration);
    }

    public LogPosition Position => reader.Position;

    /// <summary>Null when the file is damaged.</summary>
    public SnapshotConfiguration? Configuration { get; }

    /// <summary>Number of entries loaded so far.</summary>
    public long Entries => store?.Entries ?? 0;

    /// <inheritdoc cref="SnapshotReader.EntriesInAll"/>
    public long EntriesInAll { get; }

    /// <summary>Loads the next chunk.</summary>
    /// <exception cref="StorageException">
    /// The disk can't read, or an intact chunk holds something other than entries.
    /// </exception>
    public SnapshotReadStatus Step()
    {
        SnapshotReadStatus status = reader.Read();
        if (status == SnapshotReadStatus.Chunk)
            Add(reader.Payload);
        return status;
    }

    /// <summary>Loads a chunk that the caller has read.</summary>
    /// <exception cref="StorageException">The chunk holds something other than entries.</exception>
    public void Add(ReadOnlySpan<byte> payload)
    {
        if (!store!.TryLoad(payload))
            throw new StorageException(
                "an intact chunk of a snapshot holds bytes that are not entries: the program that wrote it had a bug");
    }

    /// <summary>Gives the store to the caller, after <see cref="SnapshotReadStatus.End"/>.</summary>
    public KeyValueStore Take()
    {
        KeyValueStore loaded = store!;
        loaded.LoadedTo(Position.Index);
        store = null;
        return loaded;
    }

    public void Dispose()
    {
        store?.Dispose();
        reader.Dispose();
    }
}
