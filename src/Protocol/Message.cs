namespace RaftFast.Protocol;

/// <summary>
/// What one server says to another. One flat layout for all types; which fields mean something:
/// <list type="table">
/// <item><term>PreVote, Vote</term><description>Position: the candidate's last entry (§5.4.1). PreVote's Term is the term it would campaign in (thesis §9.6).
/// Vote's Context: 1 when the leader itself has asked for the election (thesis §3.10), else 0.</description></item>
/// <item><term>PreVoteResponse, VoteResponse</term><description>Rejected. A granted PreVoteResponse carries the term asked for, a rejected one the voter's own.</description></item>
/// <item><term>Append</term><description>Position: the entry before the first record (§5.3). Commit. Count: records that follow.</description></item>
/// <item><term>AppendResponse</term><description>Accepted: Position.Index is durable and matches the leader's log up to there.
/// Rejected: Context is the previous index that did not match; Position is a hint: the sender's greatest entry at or below it
/// whose term is not above the term asked for.</description></item>
/// <item><term>Heartbeat, HeartbeatResponse</term><description>Commit (never above what the receiver has matched); Context: the read round to confirm, echoed (§6.4 of the thesis).</description></item>
/// <item><term>ReadIndex, ReadIndexResponse</term><description>Context: the asker's number, echoed; the answer's Position.Index is the index to have applied. Rejected: ask again.</description></item>
/// <item><term>Forward</term><description>Count records with position (0, 0); Context: the sender's number for the first, the others follow it. No Term: it speaks for none.</description></item>
/// <item><term>ForwardResponse</term><description>Context echoed; Position: where the first record was proposed; Count: how many were, the rest were not and never will be; Rejected: because the disk is full.</description></item>
/// <item><term>TimeoutNow</term><description>From a leader that hands over: campaign at once (thesis §3.10).</description></item>
/// <item><term>ChangeMembers</term><description>Count 1, a record (<see cref="MembershipChange"/>); Context: the sender's number. No Term.</description></item>
/// <item><term>ChangeMembersResponse</term><description>Context echoed. Accepted: Position: where the configuration was proposed. Rejected: Count: a <see cref="ChangeRefusal"/>.</description></item>
/// <item><term>InstallSnapshot</term><description>§7. On a connection of its own (<see cref="ConnectionKind.Snapshot"/>). Count 1: a part of the snapshot's file as it is on the disk: its header, then its chunks, then its footer.</description></item>
/// <item><term>InstallSnapshotResponse</term><description>Back on the same connection, to the header and at the end. Context: an <see cref="InstallStatus"/>; Count: chunks that are there, when the next ones are wanted.</description></item>
/// </list>
/// </summary>
public readonly record struct Message
{
    public required MessageType Type { get; init; }

    public bool Rejected { get; init; }

    /// <summary>Sender and receiver. Not on the wire: the connection knows them.</summary>
    public ulong From { get; init; }

    public ulong To { get; init; }

    public long Term { get; init; }

    public LogPosition Position { get; init; }

    public long Commit { get; init; }

    public long Context { get; init; }

    public int Count { get; init; }
}
