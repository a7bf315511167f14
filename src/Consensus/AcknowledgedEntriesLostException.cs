namespace RaftFast.Consensus;

/// <summary>
/// This server has lost log entries that it had acknowledged to the leader. The server must stop: the entries count
/// towards majorities, and the server may have forgotten a vote too.
/// </summary>
public sealed class AcknowledgedEntriesLostException : Exception
{
    public AcknowledgedEntriesLostException()
    {
    }

    public AcknowledgedEntriesLostException(ulong id)
        : base($"member {id} has lost log entries that it had acknowledged: its data directory was wiped, or replaced "
            + $"by an older one; put the right directory back, or remove the member (DELETE /{id} at another member) "
            + "and add the node under a new id, with --join and an empty --data-dir")
    {
    }

    public AcknowledgedEntriesLostException(string message) : base(message)
    {
    }

    public AcknowledgedEntriesLostException(string message, Exception inner) : base(message, inner)
    {
    }
}
