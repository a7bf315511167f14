using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Recovery;

/// <summary>Brings a snapshot's entries into a new store. One thread.</summary>
internal sealed class SnapshotLoader : IDisposable
{
    private readonly SnapshotReader reader;
    private KeyValueStore? store;

    public SnapshotLoader(SnapshotReader reader)
    {
        this.reader = reader;
        store = new KeyValueStore(reader.EntriesInAll());
        Configuration = SnapshotConfiguration.TryRead(reader.Configuration);
    }

    public LogPosition Position => reader.Position;

    /// <summary>Null when the file is damaged.</summary>
    public SnapshotConfiguration? Configuration { get; }

    /// <summary>Loaded so far.</summary>
    public long Entries => store?.Count ?? 0;

    /// <summary>Loads the next chunk.</summary>
    /// <exception cref="StorageException">The disk can't read, or what is in an intact chunk is no entry.</exception>
    public SnapshotReadStatus Step()
    {
        SnapshotReadStatus status = reader.Read();
        if (status == SnapshotReadStatus.Chunk)
            Add(reader.Payload);
        return status;
    }

    /// <summary>Loads a chunk that somebody else has read.</summary>
    /// <exception cref="StorageException">It holds what is no entry.</exception>
    public void Add(ReadOnlySpan<byte> payload)
    {
        if (!store!.TryLoad(payload))
            throw new StorageException("a chunk of a snapshot is intact, and holds what is no entry: the program that wrote it had a bug");
    }

    /// <summary>After <see cref="SnapshotReadStatus.End"/>: the store is the caller's.</summary>
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
