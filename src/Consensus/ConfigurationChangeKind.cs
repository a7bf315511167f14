namespace RaftFast.Consensus;

public enum ConfigurationChangeKind
{
    AddVoter,
    AddLearner,
    Remove,

    /// <summary>A new address; nobody's role changes.</summary>
    Move,
}
