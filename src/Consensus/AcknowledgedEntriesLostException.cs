namespace RaftFast.Consensus;

/// <summary>
/// The leader knows that this server held entries which it holds no more. It must not go on: it acknowledged them, so they count
/// towards a majority, and it may have forgotten a vote.
/// </summary>
public sealed class AcknowledgedEntriesLostException : Exception
{
    public AcknowledgedEntriesLostException()
    {
    }

    public AcknowledgedEntriesLostException(ulong id)
        : base($"member {id} has lost entries of its log that it had acknowledged: its data directory was wiped or replaced by an older one; put the right one back, "
            + $"or remove it (DELETE /{id} at another member), then add the node under a new id, with --join and an empty --data-dir")
    {
    }

    public AcknowledgedEntriesLostException(string message) : base(message)
    {
    }

    public AcknowledgedEntriesLostException(string message, Exception inner) : base(message, inner)
    {
    }
}
