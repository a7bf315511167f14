using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// The configurations that count: the last committed one, and those of later entries, of which the last is in effect: "a server
/// always uses the latest configuration in its log, regardless of whether the entry is committed" (§6; thesis §4.1). What is
/// truncated with the log is undone.
/// </summary>
public sealed class ConfigurationHistory
{
    /// <summary>Ascending in index: the committed one, then those that aren't known to be.</summary>
    private readonly List<(long Index, ConfigurationState State)> entries = [];

    /// <param name="index">Of the entry behind which the log begins, 0 for a whole log.</param>
    public ConfigurationHistory(ClusterConfiguration initial, long index = 0) => entries.Add((index, new ConfigurationState(initial)));

    public ConfigurationState Effective => entries[^1].State;

    public long EffectiveIndex => entries[^1].Index;

    public ConfigurationState Committed => entries[0].State;

    public long CommittedIndex => entries[0].Index;

    /// <summary>Configurations that are not known to be committed.</summary>
    public int Pending => entries.Count - 1;

    /// <summary>
    /// In any of them: thesis §4.2.2, "a server that is not part of its own latest configuration should still start new elections,
    /// as it might still be needed until the Cnew entry is committed": it may be the only one left that holds that entry.
    /// </summary>
    public bool HasVoter(ulong id)
    {
        foreach ((long _, ConfigurationState state) in entries)
        {
            if (state.IsVoter(id))
                return true;
        }
        return false;
    }

    public void Append(long index, ClusterConfiguration configuration)
    {
        Invariant.Hold(index > EffectiveIndex);
        Invariant.Hold(configuration.ClusterId == Effective.Cluster.ClusterId);
        entries.Add((index, new ConfigurationState(configuration)));
    }

    /// <summary>§7: a snapshot's takes the place of all.</summary>
    internal void Install(long index, ClusterConfiguration configuration)
    {
        entries.Clear();
        entries.Add((index, new ConfigurationState(configuration)));
    }

    internal void TruncateFrom(long index)
    {
        Invariant.Hold(index > CommittedIndex);
        while (entries[^1].Index >= index)
            entries.RemoveAt(entries.Count - 1);
    }

    internal void CommitTo(long index)
    {
        while (entries.Count > 1 && entries[1].Index <= index)
            entries.RemoveAt(0);
    }
}
