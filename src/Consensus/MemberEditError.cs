namespace RaftFast.Consensus;

public enum MemberEditError
{
    None,
    RemovesAllVoters,

    /// <summary>A change of more than one voter needs a joint configuration: two majorities might have no server in common (§6).</summary>
    ChangesSeveralVoters,
    IsJoint,
    IsNotJoint,
    HasNoVoters,
    TooManyMembers,
}
