namespace RaftFast.Server.Node.Snapshots;

/// <summary>Conditions under which a snapshot is due, and the rate at which it is written.</summary>
internal sealed record SnapshotOptions
{
    /// <summary>Entries applied since the last snapshot that make the next one due; 0: only bytes count.</summary>
    public long EveryEntries { get; init; }

    /// <summary>
    /// Bytes of entries applied since the last snapshot that make the next one due; 0: only entries count.
    /// </summary>
    public long EveryBytes { get; init; } = 256L * 1024 * 1024;

    /// <summary>
    /// True while a snapshot is due only once the log has grown by the last snapshot's size. The disk then spends no
    /// more on snapshots than on the log. False when the operator has set the interval.
    /// </summary>
    public bool WaitsForItsSize { get; init; } = true;

    /// <summary>Bytes of a snapshot written in a second: a bound, so that the log's syncs keep their latency.</summary>
    public long WriteBytesPerSecond { get; init; } = 64L * 1024 * 1024;

    /// <summary>Maximum bytes of log kept for members that receive a snapshot or catch up after one.</summary>
    public long HeldLogBytesMax { get; init; } = 4L * 1024 * 1024 * 1024;

    public bool IsDue(long entries, long bytes, long lastSnapshotBytes)
    {
        if (entries <= 0)
            return false;
        bool isDue = (EveryEntries > 0 && entries >= EveryEntries) || (EveryBytes > 0 && bytes >= EveryBytes);
        return isDue && (!WaitsForItsSize || bytes >= lastSnapshotBytes);
    }
}
