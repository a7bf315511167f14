using RaftFast.Protocol;
using RaftFast.Simulation.Clients;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Faults;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Scenarios;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Invariants;

/// <summary>
/// Fills the disks of healed servers until no majority has room in the log, then takes the leader away, or changes the
/// members. Reads and changes must continue: they need no more than a no-op or configurations, which the reserve holds.
/// </summary>
internal sealed class FullDisks(
    Cluster cluster, SimulatedClients clients, Nemesis nemesis, EventDispatch dispatch)
{
    /// <summary>
    /// Maximum microseconds for the clients to fill the logs. In some runs the logs do not fill in that time.
    /// </summary>
    private const long FillingMax = 20_000_000;

    /// <summary>Microseconds without the leader: several elections at the slowest setting.</summary>
    private const long WithoutLeader = 15_000_000;

    /// <summary>
    /// Terms for which the reserve of the simulated logs is sure to last: 64 KiB are 16 blocks, of which half are for
    /// no-ops. A term takes up to three blocks: a vote, a no-op, a seal. A term without a leader takes blocks too.
    /// </summary>
    private const int TermsMax = 2;

    /// <summary>Microseconds after which the operator repeats a request that was not done.</summary>
    private const long RetryPause = 100_000;

    private static readonly Func<bool> Never = () => false;

    /// <param name="recoveryMax">Microseconds within which the cluster must serve reads.</param>
    public void Judge(SeededRandom random, long recoveryMax)
    {
        if (!cluster.Scenario.Faults.Contains(Fault.FillDisk) || !IsReserveSure(cluster.Scenario) || random.OneIn(2))
            return;
        // The reserve has room for a few changes of the members only.
        clients.Operator.IsPaused = true;
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
            if (cluster.Scenario.HasChurn)
                ChangeMembers(FullLeader()!, term, recoveryMax);
            else
                TakeLeaderAway(FullLeader()!, term, recoveryMax);
        }
        foreach (SimulatedServer server in cluster.Servers)
            server.Disk.IsFull = false;
        clients.Operator.IsPaused = false;
    }

    /// <summary>A change of the members needs no more than the reserve.</summary>
    /// <param name="termBefore">Highest term before the disks were full.</param>
    private void ChangeMembers(SimulatedServer leader, long termBefore, long answerMax)
    {
        SimulatedServer? joiner = null;
        SimulatedServer? leaver = null;
        foreach (SimulatedServer server in cluster.Servers)
        {
            if (server.IsUp && !cluster.IsMember(server) && !cluster.Members.WasRemoved(server.Id))
                joiner = server;
            if (server != leader && cluster.IsMember(server))
                leaver = server;
        }
        SimulatedServer? subject = joiner ?? (cluster.Members.Members.Count > 2 ? leaver : null);
        if (subject is null)
            return;
        long term = HighestTerm();
        long deadline = cluster.Events.Now + answerMax;
        bool isAnswered;
        do
        {
            clients.Operator.Plan(leader, subject, adds: subject == joiner);
            isAnswered = dispatch.RunUntil(deadline, () => clients.Operator.LastStatus != 0);
            dispatch.RunUntil(cluster.Events.Now + RetryPause, Never);
        }
        while (isAnswered && clients.Operator.LastStatus is 503 or 504 && HighestTerm() == term);
        // 409: too few of the voters that would remain have been heard.
        bool isDone = isAnswered && clients.Operator.LastStatus is 204 or 409;
        if (!isDone && HighestTerm() == term && term - termBefore <= TermsMax)
            throw new InvariantException("a majority without room changes no members");
    }

    private void TakeLeaderAway(SimulatedServer leader, long term, long recoveryMax)
    {
        leader.Pause(WithoutLeader);
        dispatch.RunUntil(cluster.Events.Now + WithoutLeader / 2, Never);
        long enough = cluster.Counters[Counter.ReadsServed] + cluster.Servers.Count;
        long deadline = cluster.Events.Now + recoveryMax;
        bool isServed = dispatch.RunUntil(deadline, () => cluster.Counters[Counter.ReadsServed] >= enough);
        if (!isServed && HighestTerm() - term <= TermsMax)
            throw new InvariantException("a majority without room serves no reads");
    }

    /// <summary>
    /// True if the reserve is sure to hold what a follower lacks before the no-op: few bytes, in few appends.
    /// </summary>
    private static bool IsReserveSure(Scenario scenario) =>
        scenario is { ValueBytesMax: <= 100, Raft.AppendBytesMax: >= 4_000 };

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
