namespace RaftFast.Server.Lifetime;

/// <summary>An address can't be listened on. The message is one line: which address, why, and what to do.</summary>
public sealed class ListenException : Exception
{
    public ListenException(string message, Exception inner) : base(message, inner)
    {
    }

    public ListenException(string message) : base(message)
    {
    }

    public ListenException()
    {
    }
}
