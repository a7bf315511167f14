namespace RaftFast.Storage.Disk;

/// <summary>There was no room for a new file. Nothing is left of it.</summary>
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
