namespace RaftFast.Consensus;

public enum MemberEditKind
{
    AddVoter,
    AddLearner,
    Remove,

    /// <summary>A new address; nobody's role changes.</summary>
    Move,
}
