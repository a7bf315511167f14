using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>Decides if this server listens to a message from a server that its configuration may not name.</summary>
internal static class Strangers
{
    /// <summary>
    /// False for a message that must change nothing here, not even the term. Such a message is from a removed server,
    /// or from a stranger that knows no more than this server.
    /// </summary>
    public static bool IsHeard(RaftCore core, in Message message)
    {
        if (message.From == core.Id)
            return false;
        // Look among the members first: a removed server is never a member again, and the search among removed ids is
        // slow.
        if (core.Configuration.OrdinalOf(message.From) >= 0)
            return true;
        if (core.Log.Configurations.Committed.Cluster.WasRemoved(message.From))
            return false;
        // Thesis §4.1: a server that this log doesn't name yet may lead, or may need this server's vote to lead. The
        // log of such a server goes further than this log.
        return message.Type switch
        {
            MessageType.Append or MessageType.Heartbeat => true,
            MessageType.PreVote or MessageType.Vote => message.Position > core.Log.Last,
            _ => message.From == core.LeaderId,
        };
    }
}
