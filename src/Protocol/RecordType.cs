namespace RaftFast.Protocol;

/// <summary>What a record's payload is. The values are on disk and on the wire.</summary>
public enum RecordType : byte
{
    /// <summary>A client's command (<see cref="PutCommand"/>).</summary>
    Command = 1,

    /// <summary>The empty entry with which a leader opens its term (§8 of the Raft paper).</summary>
    NoOp = 2,

    /// <summary>Not a log entry: term and vote, in the write-ahead log only (<see cref="HardStateRecord"/>).</summary>
    HardState = 3,

    /// <summary>The cluster's members from this entry on (<see cref="ConfigurationRecord"/>).</summary>
    Configuration = 4,

    /// <summary>Not a log entry: on the wire only (<see cref="Protocol.MembershipChange"/>).</summary>
    MembershipChange = 5,
}
