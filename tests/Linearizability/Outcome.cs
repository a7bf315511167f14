namespace RaftFast.Linearizability;

/// <summary>What a client knows of its operation. One that certainly did not happen (503) is in no history.</summary>
public enum Outcome
{
    /// <summary>No answer, or one that leaves it open (504): it may take effect at any time after its invocation, or never.</summary>
    Unknown,

    Succeeded,

    /// <summary>A compare-and-set met another value than it expected (412) and changed nothing.</summary>
    Mismatched,
}
