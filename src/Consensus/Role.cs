using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// Behaviour of a server in one of Raft's roles. <see cref="RaftCore"/> hands a role only messages of the current term,
/// and answers to a pre-vote.
/// </summary>
internal abstract class Role(RaftCore core)
{
    protected RaftCore Core { get; } = core;

    public abstract void Tick();

    /// <returns>The entries that the log took.</returns>
    public abstract EntryRange Step(
        in Message message, ReadOnlySpan<RecordHeader> entries, ReadOnlySpan<ClusterConfiguration?> configurations);

    /// <summary>The log's Durable has advanced.</summary>
    public virtual void OnDurable()
    {
    }
}

/// <summary>Entries First to Last, both included. Empty if Last is before First.</summary>
public readonly record struct EntryRange(long First, long Last)
{
    public static EntryRange None => new(1, 0);

    public bool IsEmpty => Last < First;
}

/// <summary>Roles of the Raft paper, figure 4. PreCandidate is from thesis §9.6.</summary>
public enum RoleName
{
    Follower,
    PreCandidate,
    Candidate,
    Leader,
}
