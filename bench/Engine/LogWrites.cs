namespace RaftFast.Engine;

/// <summary>Synchronous writes of the log, and their bytes.</summary>
internal readonly record struct LogWrites(long Count, long Bytes)
{
    public static LogWrites operator +(LogWrites left, LogWrites right) => new(left.Count + right.Count, left.Bytes + right.Bytes);

    public static LogWrites operator -(LogWrites left, LogWrites right) => new(left.Count - right.Count, left.Bytes - right.Bytes);
}
