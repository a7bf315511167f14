namespace RaftFast.Server.Node.Snapshots;

/// <summary>When a snapshot is due, and how fast it is written.</summary>
internal sealed record SnapshotOptions
{
    /// <summary>Entries applied since the last one; 0: by bytes alone.</summary>
    public long EveryEntries { get; init; }

    /// <summary>Bytes of entries applied since the last one; 0: by entries alone.</summary>
    public long EveryBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>
    /// A snapshot is due only once the log has grown by as much as the last snapshot has, so that the disk doesn't spend more on
    /// snapshots than on the log. Off where somebody has said how often.
    /// </summary>
    public bool WaitsForItsSize { get; init; } = true;

    /// <summary>Bytes a second that a snapshot is written with, so that the log's syncs keep their latency.</summary>
    public long WriteBytesPerSecond { get; init; } = 64L * 1024 * 1024;

    /// <summary>The log is kept for servers to which a snapshot is on its way, up to so many bytes.</summary>
    public long HeldLogBytesMax { get; init; } = 4L * 1024 * 1024 * 1024;

    public bool IsDue(long entries, long bytes, long lastSnapshotBytes)
    {
        if (entries == 0)
            return false;
        bool isDue = (EveryEntries > 0 && entries >= EveryEntries) || (EveryBytes > 0 && bytes >= EveryBytes);
        return isDue && (!WaitsForItsSize || bytes >= lastSnapshotBytes);
    }
}
