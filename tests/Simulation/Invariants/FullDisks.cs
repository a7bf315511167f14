using RaftFast.Protocol;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Faults;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Scenarios;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Invariants;

/// <summary>
/// Fills the disks of healed servers until no majority has room in the log, then takes the leader away. Reads must go
/// on: they need no more than the no-op of the next term.
/// </summary>
internal sealed class FullDisks(Cluster cluster, Nemesis nemesis, EventDispatch dispatch)
{
    /// <summary>Microseconds for the clients to fill the logs. Not all do.</summary>
    private const long FillingMax = 20_000_000;

    /// <summary>Microseconds without the leader: several elections at the slowest setting.</summary>
    private const long WithoutLeader = 15_000_000;

    /// <summary>
    /// Terms for which the reserve of the simulated logs is sure to last: 64 KiB are 16 blocks, of which half are for
    /// no-ops. A term takes up to three, even without a leader: a vote, a no-op, a seal.
    /// </summary>
    private const int TermsMax = 2;

    private static readonly Func<bool> Never = () => false;

    /// <param name="recoveryMax">Microseconds within which the cluster must serve reads.</param>
    public void Judge(SeededRandom random, long recoveryMax)
    {
        if (!cluster.Scenario.Faults.Contains(Fault.FillDisk) || !IsReserveSure(cluster.Scenario) || random.OneIn(2))
            return;
        long term = HighestTerm();
        foreach (SimulatedServer server in cluster.Servers)
        {
            server.Disk.IsFull = false;
            if (nemesis.IsHealed(server) && !random.OneIn(6))
                server.FillDisk();
        }
        if (dispatch.RunUntil(cluster.Events.Now + FillingMax, () => FullLeader() is not null))
        {
            cluster.Counters[Counter.MajoritiesWithoutRoom]++;
            FullLeader()!.Pause(WithoutLeader);
            dispatch.RunUntil(cluster.Events.Now + WithoutLeader / 2, Never);
            long enough = cluster.Counters[Counter.ReadsServed] + cluster.Servers.Count;
            long deadline = cluster.Events.Now + recoveryMax;
            bool isServed = dispatch.RunUntil(deadline, () => cluster.Counters[Counter.ReadsServed] >= enough);
            if (!isServed && HighestTerm() - term <= TermsMax)
                throw new InvariantException("a majority without room serves no reads");
        }
        foreach (SimulatedServer server in cluster.Servers)
            server.Disk.IsFull = false;
    }

    /// <summary>
    /// True if the reserve is sure to hold what a follower lacks before the no-op: few bytes, in few appends. Changes
    /// of the members take from the reserve as well.
    /// </summary>
    private static bool IsReserveSure(Scenario scenario) =>
        !scenario.HasChurn && scenario is { ValueBytesMax: <= 100, Raft.AppendBytesMax: >= 4_000 };

    private long HighestTerm()
    {
        long term = 0;
        foreach (SimulatedServer server in cluster.Servers)
            term = Math.Max(term, server.Node?.Core.HardState.Term ?? 0);
        return term;
    }

    private SimulatedServer? FullLeader()
    {
        foreach (SimulatedServer server in cluster.Servers)
        {
            if (!server.IsPaused && server.Node is { Core.MajorityLacksRoom: true })
                return server;
        }
        return null;
    }
}
