namespace RaftFast.Server.Lifetime;

/// <summary>
/// A fault that the operator can mend. The message is one line that says what happened and what to do;
/// <see cref="FatalError"/> prints the message without a stack trace.
/// </summary>
public class OperatingException : Exception
{
    public OperatingException(string message, Exception inner) : base(message, inner)
    {
    }

    public OperatingException(string message) : base(message)
    {
    }

    public OperatingException()
    {
    }
}
