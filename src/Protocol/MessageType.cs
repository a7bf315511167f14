namespace RaftFast.Protocol;

/// <summary>What a message asks or answers (fields: <see cref="Message"/>). The values are on the wire.</summary>
public enum MessageType : byte
{
    PreVote = 1,
    PreVoteResponse = 2,
    Vote = 3,
    VoteResponse = 4,
    Append = 5,
    AppendResponse = 6,
    Heartbeat = 7,
    HeartbeatResponse = 8,
    ReadIndex = 9,
    ReadIndexResponse = 10,
    Forward = 11,
    ForwardResponse = 12,
    TimeoutNow = 13,
    ChangeMembers = 14,
    ChangeMembersResponse = 15,
    InstallSnapshot = 16,
    InstallSnapshotResponse = 17,
}
