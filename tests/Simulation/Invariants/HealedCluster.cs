using RaftFast.Linearizability;
using RaftFast.Protocol;
using RaftFast.Simulation.Clients;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Faults;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Scenarios;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Invariants;

/// <summary>
/// Judges a cluster after its faults have ended. The healed majority must serve and settle, its stores must be equal,
/// and the history of the clients must be linearizable.
/// </summary>
internal sealed class HealedCluster(Cluster cluster, SimulatedClients clients, Nemesis nemesis, EventDispatch dispatch)
{
    /// <summary>
    /// Microseconds within which a cluster must serve again after its faults have ended: several elections at the
    /// slowest setting.
    /// </summary>
    private const long RecoveryMax = 60_000_000;

    /// <summary>Microseconds until the write of a leader whose disk hangs is overdue, on the slowest clock.</summary>
    private long OverdueMax => 15_000L * cluster.Scenario.Raft.OverdueWriteTicks;

    /// <summary>Number of reads and writes that the cluster has served.</summary>
    private long Served => cluster.Counters[Counter.ReadsServed] + cluster.Counters[Counter.WritesAcknowledged];

    public void Judge()
    {
        long enough = Served + 3L * cluster.Servers.Count;
        long deadline = cluster.Events.Now + RecoveryMax;
        Require(dispatch.RunUntil(deadline, () => Served >= enough), "the healed majority does not serve");
        // A leader whose disk hangs commits what the others write, until its own write is overdue. From then on it
        // takes no writes.
        if (nemesis.LeavesHungLeader)
            dispatch.RunUntil(cluster.Events.Now + OverdueMax, () => false);
        long written = cluster.Counters[Counter.WritesAcknowledged];
        deadline = cluster.Events.Now + RecoveryMax;
        // A leader whose disk hangs can still serve reads.
        Require(
            dispatch.RunUntil(deadline, () => cluster.Counters[Counter.WritesAcknowledged] > written),
            "the healed majority takes no writes");
        new FullDisks(cluster, clients, nemesis, dispatch)
            .Judge(new SeededRandom(cluster.Scenario.Seed).Fork("full disks"), RecoveryMax);
        deadline = Math.Max(deadline, cluster.Events.Now + RecoveryMax);
        clients.Retire();
        dispatch.RunUntil(nemesis.LastReturn, () => false);
        deadline = Math.Max(deadline, nemesis.LastReturn + RecoveryMax);
        if (!dispatch.RunUntil(deadline, () => HasSettled() && HaveSpoiltEnded()) && TakeUndecidedAway())
            deadline = cluster.Events.Now + RecoveryMax;
        Require(dispatch.RunUntil(deadline, HasSettled), "the healed majority does not settle");
        Require(dispatch.RunUntil(deadline, HaveSpoiltEnded), "a server whose state is spoilt does not stop");
        if (cluster.Scenario.MovesTogether)
            StartWithoutHints();
        RequireEqualStores();
        CheckResult result = LinearizabilityChecker.Check(cluster.History.Snapshot());
        Require(result.Linearizable, $"the history is not linearizable\n{result}");
        string? violation = TransactionChecker.Check(cluster.Transactions.Snapshot(), TransactionKeys.Count);
        Require(violation is null, $"the transactions are not linearizable: {violation}");
    }

    /// <summary>
    /// Restarts the healed members without the addresses of <c>--cluster</c>: they find each other at the addresses in
    /// their logs, because the moves are committed.
    /// </summary>
    private void StartWithoutHints()
    {
        cluster.Counters[Counter.StartsWithoutHints]++;
        foreach (SimulatedServer server in cluster.Servers)
        {
            server.Hints = [];
            server.Crash(losesPower: false);
        }
        // The term need not be a newer one: a server whose disk hangs may have lost the latest term with its process.
        bool isServed = dispatch.RunUntil(cluster.Events.Now + RecoveryMax, () => HasSettled() && HasLeader());
        Require(isServed, "the moves are not committed: without --cluster the healed majority elects no leader");
    }

    /// <summary>True if each spoilt server has stopped, or its state has become right.</summary>
    private bool HaveSpoiltEnded()
    {
        foreach (SimulatedServer server in cluster.Servers)
        {
            if (server.IsSpoilt && !server.IsLost)
                return false;
        }
        return true;
    }

    /// <summary>
    /// Takes away each spoilt server that no majority can contradict, as an operator has to. A spoilt leader sends no
    /// snapshot here, so a server that needs one has no state to compare.
    /// </summary>
    /// <returns>False if there is none.</returns>
    private bool TakeUndecidedAway()
    {
        bool isAny = false;
        foreach (SimulatedServer server in cluster.Servers)
        {
            if (!server.IsSpoilt || server.IsLost || server.Node is not { } node)
                continue;
            int judges = 0;
            foreach (SimulatedServer other in cluster.Servers)
            {
                bool isJudge = !other.IsSpoilt && other.Node is { } sound
                    && sound.Core.Log.Applied == node.Core.Log.Applied;
                judges += isJudge ? 1 : 0;
            }
            if (judges > node.Core.Configuration.Voters.Length / 2)
                continue;
            server.TakeAway();
            isAny = true;
        }
        return isAny;
    }

    private bool HasLeader()
    {
        foreach (SimulatedServer server in cluster.Servers)
        {
            if (server.Node is { Core.IsLeader: true })
                return true;
        }
        return false;
    }

    /// <summary>
    /// True if no request is open, all members are voters, and the healed members' logs are equal, applied, and name
    /// the present addresses. Each removed server that can reach a member must have exited.
    /// </summary>
    private bool HasSettled()
    {
        if (clients.AreWaiting)
            return false;
        ClusterConfiguration members = cluster.Members;
        foreach (Member member in members.Members)
        {
            if (member.Role != MemberRole.Voter || member.IsOutgoingVoter)
                return false;
        }
        LogPosition? last = null;
        foreach (SimulatedServer server in cluster.Servers)
        {
            if (members.WasRemoved(server.Id) && CanReachAMember(server, members))
                return false;
            if (!nemesis.IsHealed(server) || members.Find(server.Id) is null)
                continue;
            if (!server.IsUp || server.Node!.Core.Log.Applied != server.Node.Core.Log.Last.Index)
                return false;
            last ??= server.Node.Core.Log.Last;
            if (server.Node.Core.Log.Last != last)
                return false;
            if (cluster.Scenario.MovesTogether && members.Find(server.Id)!.Address != server.Identity.Address)
                return false;
        }
        return true;
    }

    /// <summary>
    /// True if a removed server that runs dials a member at its present address, and so learns of its removal.
    /// </summary>
    private bool CanReachAMember(SimulatedServer server, ClusterConfiguration members)
    {
        foreach (Member member in members.Members)
        {
            SimulatedServer other = cluster.Servers[(int)member.Id - 1];
            if (server.Dials(other.Number, other.Identity.Address))
                return true;
        }
        return false;
    }

    private void RequireEqualStores()
    {
        SimulatedServer? first = null;
        foreach (SimulatedServer server in cluster.Servers)
        {
            if (!nemesis.IsHealed(server) || !cluster.IsMember(server))
                continue;
            first ??= server;
            cluster.Count.Judge(server.Store!);
            Scenario scenario = cluster.Scenario;
            Require(StoreContents.Hash(first.Store!, scenario) == StoreContents.Hash(server.Store!, scenario),
                "equal logs give different states");
        }
        TransactionKeys.Record(first!.Store!, cluster);
    }

    private static void Require(bool property, string otherwise)
    {
        if (!property)
            throw new InvariantException(otherwise);
    }
}
