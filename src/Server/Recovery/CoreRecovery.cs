using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Storage.Log;

namespace RaftFast.Server.Recovery;

/// <summary>Makes the state that the core starts with from the recovered snapshot and log.</summary>
internal static class CoreRecovery
{
    /// <param name="initial">The configuration before the log's first entry.</param>
    public static ConfigurationHistory Configurations(
        ClusterConfiguration initial, SnapshotConfiguration? snapshot, WalRecovery recovery)
    {
        ConfigurationHistory configurations =
            snapshot is { } covered ? new(covered.Cluster, covered.Index) : new(initial);
        foreach ((long index, ClusterConfiguration configuration) in recovery.Configurations)
        {
            // The snapshot's configuration contains the entries that the snapshot covers.
            if (index > configurations.EffectiveIndex)
                configurations.Append(index, configuration);
        }
        return configurations;
    }

    /// <summary>True if the directory holds a term, a vote or entries. An empty directory holds no promises.</summary>
    public static bool HasPromised(RecoveredState recovered, WalRecovery recovery) =>
        recovery.HardState.Term > 0 || recovered.Position != default;

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
