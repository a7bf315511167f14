using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Recovery;

/// <summary>What the core starts with, from what the data directory holds.</summary>
internal static class CoreRecovery
{
    /// <param name="initial">Before the log's first entry.</param>
    public static ConfigurationHistory Configurations(ClusterConfiguration initial, SnapshotConfiguration? snapshot, WalRecovery recovery)
    {
        ConfigurationHistory configurations = snapshot is { } covered ? new(covered.Cluster, covered.Index) : new(initial);
        foreach ((long index, ClusterConfiguration configuration) in recovery.Configurations)
        {
            // What the snapshot covers is in its own configuration.
            if (index > configurations.EffectiveIndex)
                configurations.Append(index, configuration);
        }
        return configurations;
    }

    public static TermRuns TermRuns(WalRecovery recovery)
    {
        TermRuns runs = new(recovery.Base);
        for (int i = 0; i < recovery.TermRuns.Count; i++)
        {
            long last = i + 1 < recovery.TermRuns.Count ? recovery.TermRuns[i + 1].Index - 1 : recovery.Last.Index;
            runs.AppendRun(recovery.TermRuns[i], last);
        }
        return runs;
    }
}
