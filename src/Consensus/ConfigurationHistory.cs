using RaftFast.Protocol;

namespace RaftFast.Consensus;

/// <summary>
/// The last committed configuration, and the configurations of later entries. The last of all is in effect: "a server
/// always uses the latest configuration in its log, regardless of whether the entry is committed" (§6; thesis §4.1).
/// A configuration whose entry is truncated from the log is undone.
/// </summary>
public sealed class ConfigurationHistory
{
    /// <summary>The last committed configuration, then the uncommitted ones, in ascending order of index.</summary>
    private readonly List<(long Index, ConfigurationState State)> entries = [];

    /// <param name="index">
    /// Index of the entry with the initial configuration; 0 if that configuration comes from the data directory.
    /// </param>
    public ConfigurationHistory(ClusterConfiguration initial, long index = 0) =>
        entries.Add((index, new ConfigurationState(initial)));

    public ConfigurationState Effective => entries[^1].State;

    public long EffectiveIndex => entries[^1].Index;

    public ConfigurationState Committed => entries[0].State;

    public long CommittedIndex => entries[0].Index;

    /// <summary>Number of configurations that are not known to be committed.</summary>
    public int Pending => entries.Count - 1;

    /// <summary>
    /// True if the server is a voter of any of these configurations. Thesis §4.2.2: "a server that is not part of its
    /// own latest configuration should still start new elections, as it might still be needed until the Cnew entry is
    /// committed". Such a server may be the only holder of that entry.
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

    /// <summary>§7: replaces all configurations by that of an installed snapshot.</summary>
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
