namespace RaftFast.Protocol;

/// <summary>What a member is, in a joint configuration what it will be once that is left. The values are on disk and on the wire.</summary>
public enum MemberRole : byte
{
    /// <summary>Joint only: an outgoing voter that will be removed.</summary>
    Leaving = 0,

    Voter = 1,

    /// <summary>Gets the log and counts for nothing (thesis §4.2.1).</summary>
    Learner = 2,
}
