namespace RaftFast.Protocol;

/// <summary>A bug has been met. Nobody catches it but the outermost frame, which reports it and exits.</summary>
public sealed class InvariantException : Exception
{
    public InvariantException(string message) : base(message)
    {
    }

    public InvariantException(string message, Exception inner) : base(message, inner)
    {
    }

    public InvariantException()
    {
    }
}
