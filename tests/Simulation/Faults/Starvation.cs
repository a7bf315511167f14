using RaftFast.Simulation.Clients;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Network;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Faults;

/// <summary>
/// Loses the entries that are sent to one follower, and lets its heartbeats through, until the leader has compacted
/// the entries. A GET waits at the follower for a key that is written meanwhile. The follower never loses its leader,
/// so only the installed snapshot can tell the GET of the change.
/// </summary>
internal sealed class Starvation(
    Cluster cluster, SimulatedServer[] servers, SimulatedClients clients, SeededRandom random)
{
    /// <summary>Seconds that the GET waits.</summary>
    private const int Wait = 8;

    /// <summary>Microseconds after which the follower gets entries again, even if none were compacted.</summary>
    private const long DurationMax = 5_000_000;

    /// <summary>The server at which the GET is to wait, or that gets no entries; null between two strikes.</summary>
    private SimulatedServer? follower;

    /// <summary>Key of the last strike. Each strike has a key that no other request writes.</summary>
    private int key = KnownKeys.Counter;

    private bool isStarving;
    private long strikeEnds;

    public void Begin()
    {
        if (cluster.Scenario.Starves)
            ScheduleNext();
    }

    /// <summary>True if clients may ask the server: a server without entries would let all of them wait.</summary>
    public bool MayAsk(SimulatedServer server) => !isStarving || server != follower;

    /// <summary>Chooses a follower, or takes the next step once the follower is ready for it.</summary>
    public void Look(SimulatedServer? leader)
    {
        if (follower is { IsUp: false } || follower == leader)
            End();
        else if (leader is not null)
            Step(leader, follower);
        if (cluster.Events.Now >= strikeEnds)
            End();
        ScheduleNext();
    }

    /// <summary>Ends the strike: the follower gets entries again.</summary>
    public void End()
    {
        foreach (SimulatedServer from in servers)
        {
            if (follower is not null)
                cluster.Network.Link(from.Number, follower.Number).LosesEntries = false;
        }
        follower = null;
        isStarving = false;
    }

    private void Step(SimulatedServer leader, SimulatedServer? follower)
    {
        if (follower is null)
            Choose(leader);
        else if (!isStarving)
            StarveIfReadWaits(follower, leader);
        else if (leader.Node!.Core.Log.Base.Index > follower.Node!.Core.Log.Last.Index)
        {
            cluster.Counters[Counter.FollowersStarved]++;
            End();
        }
    }

    private void Choose(SimulatedServer leader)
    {
        SimulatedServer chosen = servers[random.Next(servers.Length)];
        bool hasKey = key - 1 >= cluster.Scenario.Keys;
        if (!hasKey || chosen == leader || !chosen.IsUp || !cluster.IsMember(chosen))
            return;
        follower = chosen;
        strikeEnds = cluster.Events.Now + DurationMax;
        clients.Plan(chosen, new KeyRequest(KeyRequestKind.Wait, --key) { Wait = Wait });
    }

    private void StarveIfReadWaits(SimulatedServer follower, SimulatedServer leader)
    {
        if (follower.Node!.Report().Waiting.ReadsForChange == 0)
            return;
        isStarving = true;
        strikeEnds = cluster.Events.Now + DurationMax;
        foreach (SimulatedServer from in servers)
            cluster.Network.Link(from.Number, follower.Number).LosesEntries = true;
        KeyRequest write = new(KeyRequestKind.Put, key) { Value = cluster.NextValue(), Length = sizeof(int) };
        clients.Plan(leader, write);
    }

    private void ScheduleNext()
    {
        long delay = follower is null ? random.Between(1_000, 1_000_000) : random.Between(1_000, 20_000);
        cluster.Events.Schedule(delay, new Event(EventKind.Starve, 0, 0, 0));
    }
}
