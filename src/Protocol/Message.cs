namespace RaftFast.Protocol;

/// <summary>
/// A message from one node to another. All types share one flat layout; <see cref="MessageType"/> says which fields a
/// type uses.
/// </summary>
public readonly record struct Message
{
    public required MessageType Type { get; init; }

    public bool Rejected { get; init; }

    /// <summary>Sender. Not on the wire: the connection knows both ends.</summary>
    public ulong From { get; init; }

    /// <summary>Receiver. Not on the wire either.</summary>
    public ulong To { get; init; }

    public long Term { get; init; }

    public LogPosition Position { get; init; }

    public long Commit { get; init; }

    public long Context { get; init; }

    public int Count { get; init; }

    /// <summary>Digest of a <see cref="MessageType.StateHash"/>, in Context and Commit.</summary>
    public UInt128 Digest
    {
        get => new((ulong)Context, (ulong)Commit);
        init => (Context, Commit) = ((long)(ulong)(value >> 64), (long)(ulong)value);
    }
}

/// <summary>
/// Type of a <see cref="Message"/>, with the fields that it uses. Each type uses Term as well, unless it says
/// otherwise. The values are on the wire.
/// </summary>
public enum MessageType : byte
{
    /// <summary>
    /// Asks if an election could be won (thesis §9.6). Term: the term in which the sender would campaign.
    /// Position: the sender's last entry (§5.4.1).
    /// </summary>
    PreVote = 1,

    /// <summary>Answers a PreVote. Rejected. Term: the requested term if granted, otherwise the voter's own.</summary>
    PreVoteResponse = 2,

    /// <summary>
    /// Asks for a vote. Position: the candidate's last entry (§5.4.1).
    /// Context: 1 if the leader has asked for this election (thesis §3.10), otherwise 0.
    /// </summary>
    Vote = 3,

    /// <summary>Answers a Vote. Rejected.</summary>
    VoteResponse = 4,

    /// <summary>
    /// Replicates entries. Position: the entry before the first record (§5.3). Commit: the leader's commit index.
    /// Count: the number of records that follow.
    /// </summary>
    Append = 5,

    /// <summary>
    /// Answers an Append. Accepted: up to Position.Index the follower's log matches the leader's and is durable.
    /// Rejected: Context is the index of the previous entry that did not match, and Position is a hint. The hint is the
    /// follower's last entry at or below Context with a term not above the term of that previous entry.
    /// Count, if accepted: 1 if the follower's log has no room, otherwise 0.
    /// </summary>
    AppendResponse = 6,

    /// <summary>
    /// Sent by the leader. Commit: never above the index that the receiver is known to match. Context: the read round
    /// to confirm, or 0.
    /// </summary>
    Heartbeat = 7,

    /// <summary>
    /// Answers a Heartbeat. Context: the read round, echoed (thesis §6.4). Count: as in an AppendResponse.
    /// </summary>
    HeartbeatResponse = 8,

    /// <summary>Asks the leader for a read index (thesis §6.4). Context: a number that the follower chose.</summary>
    ReadIndex = 9,

    /// <summary>
    /// Answers a ReadIndex. Context: echoed. Position.Index: the index to apply before the read. Commit: as in a
    /// Heartbeat. Rejected: ask again.
    /// </summary>
    ReadIndexResponse = 10,

    /// <summary>
    /// Forwards clients' writes to the leader. Count: the number of records that follow, each at position (0, 0).
    /// Context: the sender's number of the first record; the others follow it. No Term: a request speaks for no term.
    /// </summary>
    Forward = 11,

    /// <summary>
    /// Answers a Forward. Context: echoed. Position: where the first record was proposed. Count: the number of records
    /// proposed; the others were not proposed and never will be. Rejected: true if the reason is a full disk.
    /// </summary>
    ForwardResponse = 12,

    /// <summary>Sent by a leader that hands over leadership: campaign at once (thesis §3.10).</summary>
    TimeoutNow = 13,

    /// <summary>
    /// Asks the leader to change the members. Count: 1, a <see cref="MembershipChange"/> record. Context: the sender's
    /// number. No Term.
    /// </summary>
    ChangeMembers = 14,

    /// <summary>
    /// Answers a ChangeMembers. Context: echoed. Accepted: Position is where the configuration was proposed. Rejected:
    /// Count is a <see cref="ChangeRefusal"/>. VotersMissing: Commit is the number of voters that don't write. Position
    /// has the lowest id of these voters: the upper 32 bits as the term, the lower 32 bits as the index.
    /// </summary>
    ChangeMembersResponse = 15,

    /// <summary>
    /// Transfers a snapshot (§7), on a connection of its own (<see cref="ConnectionKind.Snapshot"/>). Count: 1, a part
    /// of the snapshot's file as it is on disk: first its header, then its chunks, then its footer. Context: bytes of
    /// the whole file; 0 from older programs.
    /// </summary>
    InstallSnapshot = 16,

    /// <summary>
    /// Answers an InstallSnapshot on the same connection: once after the header, and once at the end.
    /// Context: an <see cref="InstallStatus"/>. Count: the number of chunks already received, if the status is
    /// Continue.
    /// </summary>
    InstallSnapshotResponse = 17,

    /// <summary>
    /// Tells the digest of the sender's state. Position.Index: the entry applied last in that state. Context and
    /// Commit: upper and lower half of the digest. Count: 1 if the receiver is to send its digest at that entry to all
    /// members, otherwise 0. No Term.
    /// </summary>
    StateHash = 18,
}

/// <summary>A node's answer to a snapshot that another node offers or has sent. The values are on the wire.</summary>
public enum InstallStatus
{
    /// <summary>Send the chunks after those already received.</summary>
    Continue = 1,

    Installed = 2,

    /// <summary>The receiver already holds all that the snapshot covers.</summary>
    NotWanted = 3,

    /// <summary>The receiver's disk has no room for the snapshot. The receiver has kept no part of the file.</summary>
    DiskFull = 4,

    /// <summary>The receiver is receiving another snapshot, perhaps of a former leader. Offer again later.</summary>
    Busy = 5,
}
