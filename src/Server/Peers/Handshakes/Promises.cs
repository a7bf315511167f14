using RaftFast.Protocol;

namespace RaftFast.Server.Peers.Handshakes;

/// <summary>Messages after which a member's data directory must not be replaced by another.</summary>
internal static class Promises
{
    /// <summary>
    /// True if the message is a vote or an acknowledgement that may be counted, or asks for a vote that may be given.
    /// The answer to a heartbeat counts too: it confirms that the leader leads (thesis §6.4).
    /// </summary>
    public static bool Has(in Message message) => message.Type switch
    {
        MessageType.Vote or MessageType.HeartbeatResponse => true,
        MessageType.VoteResponse or MessageType.AppendResponse => !message.Rejected,
        _ => false,
    };
}
