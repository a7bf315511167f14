using RaftFast.Simulation.Events;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Faults;

/// <summary>
/// Hangs the writes of any set of servers, for ever or for minutes. After the healing, the disks of a minority may
/// still hang while these servers are reachable, perhaps the leader among them. The healed majority must serve all the
/// same.
/// </summary>
internal sealed class DiskHangs(Cluster cluster, SimulatedServer[] servers, SeededRandom random)
{
    private readonly bool[] isLeft = new bool[servers.Length];
    private readonly SeededRandom receivers = random.Fork("receivers");

    /// <summary>Latest time at which a held write returns; 0 if none will.</summary>
    public long LastReturn { get; private set; }

    /// <summary>True if the disk of the server that led at the healing still hangs.</summary>
    public bool LeavesLeader { get; private set; }

    /// <summary>True if the server is reachable after the healing, and its disk hangs.</summary>
    public bool IsLeft(SimulatedServer server) => isLeft[server.Number];

    public List<SimulatedServer> Strike()
    {
        List<SimulatedServer> struck = [];
        foreach (SimulatedServer server in servers)
        {
            if (random.OneIn(3) || (server.Node is { Core.IsLeader: true } && random.OneIn(2)))
                struck.Add(server);
        }
        foreach (SimulatedServer server in struck)
            server.Disk.HungWrites.Hang();
        return struck;
    }

    /// <summary>
    /// Called when the transfer of a snapshot to a server begins. Decides if the server's disk hangs from now on.
    /// </summary>
    /// <returns>The fault; null for none.</returns>
    public Fault? StrikeReceiver(SimulatedServer server)
    {
        IReadOnlyList<Fault> faults = cluster.Scenario.Faults;
        bool stalls = faults.Contains(Fault.StallDisks) && (!faults.Contains(Fault.HangDisks) || receivers.OneIn(2));
        Fault fault = stalls ? Fault.StallDisks : Fault.HangDisks;
        if (!faults.Contains(fault) || server.Disk.HungWrites.IsHung || receivers.OneIn(4))
            return null;
        server.Disk.HungWrites.Hang();
        return fault;
    }

    /// <summary>Chooses the servers whose disks still hang after the healing.</summary>
    /// <param name="leader">The leader, whose disk hangs from now on; null if there is none.</param>
    /// <param name="countMax">Number of servers that the healed majority can do without.</param>
    public void Leave(SimulatedServer? leader, int countMax, Func<SimulatedServer, bool> isOut)
    {
        bool hangs = cluster.Scenario.Faults.Contains(Fault.HangDisks);
        bool stalls = cluster.Scenario.Faults.Contains(Fault.StallDisks);
        if ((!hangs && !stalls) || random.OneIn(4))
            return;
        // The leader comes first, because it must hand over. It must not hand over to another server whose disk hangs.
        if (leader is not null && countMax > 0)
        {
            leader.Disk.HungWrites.Hang();
            Leave(leader);
            LeavesLeader = isLeft[leader.Number];
            SimulatedServer follower = servers[random.Next(servers.Length)];
            if (LeavesLeader && countMax > 0 && follower != leader && !isOut(follower))
            {
                follower.Disk.HungWrites.Hang();
                Leave(follower);
            }
        }
        foreach (SimulatedServer server in servers)
        {
            if (server.Disk.HungWrites.IsHung && !isLeft[server.Number])
                Leave(server);
        }

        void Leave(SimulatedServer server)
        {
            if (countMax <= 0 || isOut(server) || !server.IsUp)
                return;
            countMax--;
            isLeft[server.Number] = true;
            if (!stalls || (hangs && random.OneIn(2)))
                return;
            long delay = random.Between(60_000_000, 180_000_000);
            LastReturn = Math.Max(LastReturn, cluster.Events.Now + delay);
            cluster.Events.Schedule(delay, new Event(EventKind.WriteReturns, server.Number, 0, 0));
        }
    }

    /// <summary>Lets the held writes of a server return, after minutes.</summary>
    public void Return(SimulatedServer server)
    {
        cluster.Counters[Counter.WritesReturnedAfterMinutes]++;
        isLeft[server.Number] = false;
        server.Disk.HungWrites.Return();
    }
}
