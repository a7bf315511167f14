namespace RaftFast.Storage.Disk;

/// <summary>
/// Storage can't be trusted or used. The message is one line for an operator: what happened, where, and what to do. The
/// process stops. A failed write or sync is never retried: after a failed sync, the contents of the disk are unknown.
/// </summary>
public sealed class StorageException : Exception
{
    private const string Remedy =
        "keep the directory as it is; if an intact copy no older than this member's last run exists, "
        + "put the copy in its place";

    public StorageException(string message) : base(message)
    {
    }

    public StorageException(string message, Exception inner) : base(message, inner)
    {
    }

    public StorageException()
    {
    }

    /// <summary>True if a file of this member is damaged or missing. False if the disk failed.</summary>
    internal bool IsDamage { get; private init; }

    /// <summary>True if the disk has no room for the change of a name. Nothing has changed.</summary>
    public bool IsDiskFull { get; init; }

    internal static StorageException Damage(string file, long offset, string what) =>
        Unusable(file, $"is damaged at byte {offset}: {what}");

    internal static StorageException Unusable(string file, string what) =>
        new($"{file} {what}; {Remedy}") { IsDamage = true };
}

/// <summary>The disk has no room for a new file. Nothing of the file remains.</summary>
public sealed class DiskFullException : Exception
{
    public DiskFullException(string message) : base(message)
    {
    }

    public DiskFullException(string message, Exception inner) : base(message, inner)
    {
    }

    public DiskFullException()
    {
    }
}
