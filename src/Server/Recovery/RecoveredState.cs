using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Logging;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Server.Recovery;

/// <summary>
/// State of the newest intact snapshot of a data directory. Without a snapshot: an empty store, before the log's first
/// entry.
/// </summary>
/// <param name="configuration">Null without a snapshot.</param>
internal sealed partial class RecoveredState(
    KeyValueStore store, LogPosition position, SnapshotConfiguration? configuration)
{
    /// <summary>
    /// Chunks that are loaded without a second thread: some 5 MiB, for which a thread is not worth its cost.
    /// </summary>
    private const int ChunksWithoutReadAhead = 4;

    public KeyValueStore Store { get; } = store;

    /// <summary>Position of the last entry that the store covers.</summary>
    public LogPosition Position { get; } = position;

    public SnapshotConfiguration? Configuration { get; } = configuration;

    /// <summary>
    /// Loads the newest intact snapshot, and sets damaged ones aside. Wal.Open then finds out whether the log has
    /// the entries that a damaged snapshot covered.
    /// </summary>
    /// <param name="progress">Is told of each snapshot that is tried.</param>
    /// <exception cref="Storage.Disk.StorageException">The disk can't read.</exception>
    public static RecoveredState Load(SnapshotStore files, StartProgress progress, ILogger logger)
    {
        foreach (SnapshotFile file in files.Files)
        {
            using SnapshotReader reader = files.Read(file);
            using SnapshotLoader loader = new(reader);
            if (TryLoad(reader, loader, progress.BeginSnapshot(file.Name), logger))
            {
                loader.Configuration!.Value.MustBeCoveredBy(loader.Position);
                return new RecoveredState(loader.Take(), loader.Position, loader.Configuration);
            }
            LogDamaged(logger, reader.Damage ?? $"{file.Name} holds no configuration of a cluster");
            files.SetAside(file);
        }
        return new RecoveredState(new KeyValueStore(), default, null);
    }

    private static bool TryLoad(SnapshotReader reader, SnapshotLoader loader, ProgressLine progress, ILogger logger)
    {
        if (loader.Configuration is null)
            return false;
        long bytes = reader.FileBytes;
        progress.Write(logger, 0, bytes);
        SnapshotReadStatus status = SnapshotReadStatus.Chunk;
        for (int i = 0; i < ChunksWithoutReadAhead && status == SnapshotReadStatus.Chunk; i++)
        {
            status = loader.Step();
            progress.Write(logger, reader.End, bytes);
        }
        if (status != SnapshotReadStatus.Chunk)
            return status == SnapshotReadStatus.End;
        using SnapshotReadAhead ahead = new(reader);
        do
        {
            status = ahead.Next(out ReadOnlySpan<byte> payload);
            if (status == SnapshotReadStatus.Chunk)
                loader.Add(payload);
            progress.Write(logger, ahead.End, bytes);
        }
        while (status == SnapshotReadStatus.Chunk);
        return status == SnapshotReadStatus.End;
    }

    [LoggerMessage(LogLevel.Error, "{Damage}; trying the snapshot before this one, and the log")]
    private static partial void LogDamaged(ILogger logger, string damage);
}
