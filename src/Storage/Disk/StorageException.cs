namespace RaftFast.Storage.Disk;

/// <summary>
/// Storage can't be trusted or used. The message is one line for a person: what, where, what to do. The process stops;
/// nothing is ever retried, because after a failed sync nobody knows what is on the disk.
/// </summary>
public sealed class StorageException : Exception
{
    private const string Rejoin = "keep the directory as it is, and put an intact one in its place if there is one no older than this member's last run";

    public StorageException(string message) : base(message)
    {
    }

    public StorageException(string message, Exception inner) : base(message, inner)
    {
    }

    public StorageException()
    {
    }

    internal static StorageException Damage(string file, long offset, string what) =>
        new($"{file} is damaged at byte {offset}: {what}; {Rejoin}");

    internal static StorageException Unusable(string file, string what) => new($"{file} {what}; {Rejoin}");
}
