using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>What a server does in one of Raft's roles. Messages of a lower term, and of none that this role knows, never reach it.</summary>
internal abstract class Role(RaftCore core)
{
    protected RaftCore Core { get; } = core;

    public abstract void Tick();

    /// <summary>A message of the current term.</summary>
    /// <returns>Which of <paramref name="entries"/> the log took.</returns>
    public abstract EntryRange Step(
        in Message message, ReadOnlySpan<RecordHeader> entries, ReadOnlySpan<ClusterConfiguration?> configurations);

    /// <summary>The log's Durable has advanced.</summary>
    public virtual void OnDurable()
    {
    }
}
