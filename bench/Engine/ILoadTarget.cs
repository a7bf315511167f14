namespace RaftFast.Engine;

/// <summary>Number and bytes of the log's synchronous writes.</summary>
internal readonly record struct LogWrites(long Count, long Bytes)
{
    public static LogWrites operator +(LogWrites left, LogWrites right) =>
        new(left.Count + right.Count, left.Bytes + right.Bytes);

    public static LogWrites operator -(LogWrites left, LogWrites right) =>
        new(left.Count - right.Count, left.Bytes - right.Bytes);
}

/// <summary>A cluster with a leader: RaftFast's, or the one that RaftFast is compared with.</summary>
internal interface ILoadTarget : IAsyncDisposable
{
    /// <summary>Writes of all members' logs so far; null if they can't be counted.</summary>
    LogWrites? Writes { get; }

    /// <summary>
    /// Begins the run's first writes, and another after each completed write while the run asks for more.
    /// </summary>
    void Start(LoadRun run);
}
