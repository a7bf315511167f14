using RaftFast.Protocol;
using RaftFast.Simulation.Clients;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Network;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Scenarios;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation.Faults;

/// <summary>
/// Causes the scenario's faults and ends them. At the end, heals a majority and may leave the rest broken.
/// </summary>
internal sealed class Nemesis(
    Cluster cluster, SimulatedServer[] servers, SimulatedClients clients, SeededRandom random)
{
    private readonly List<Action> remedies = [];
    private readonly DiskHangs hangs = new(cluster, servers, random.Fork("disk hangs"));
    private readonly Unmounts unmounts = new(cluster, servers, random.Fork("unmounts"));
    private readonly Starvation starvation = new(cluster, servers, clients, random.Fork("starvation"));
    private bool[]? healed;

    public void Begin()
    {
        if (cluster.Scenario.Faults.Count > 0)
            ScheduleNext();
        unmounts.Begin();
        starvation.Begin();
        ScheduleMove();
    }

    /// <summary>
    /// Moves all servers at once. Every address in their logs is dead from now on; <c>--cluster</c> names the new ones.
    /// </summary>
    public void MoveAll()
    {
        if (healed is not null)
            return;
        cluster.Counters[Counter.ClustersMoved]++;
        foreach (SimulatedServer server in servers)
            server.Move();
        PeerAddress[] addresses = Array.ConvertAll(servers, server => server.Identity.Address);
        foreach (SimulatedServer server in servers)
            server.Hints = addresses;
        if (random.OneIn(2))
            ScheduleMove();
    }

    /// <summary>The server that alternates between two volumes may change to the other one.</summary>
    public void Mount() => unmounts.Step();

    /// <summary>The starvation of a follower may begin or end.</summary>
    public void Starve()
    {
        if (healed is null)
            starvation.Look(Leader());
    }

    public void Strike()
    {
        if (healed is not null)
            return;
        Fault fault = cluster.Scenario.Faults[random.Next(cluster.Scenario.Faults.Count)];
        Strike(fault, servers[random.Next(servers.Length)]);
        ScheduleNext();
    }

    /// <summary>
    /// Called when the transfer of a snapshot to a server begins. The server's disk may hang from now on.
    /// </summary>
    public void OnSnapshotBegins(SimulatedServer server)
    {
        if (healed is not null || hangs.StrikeReceiver(server) is not { } fault)
            return;
        bool losesPower = fault == Fault.HangDisks;
        EndHang(server, losesPower ? cluster.Scenario.FaultDurationMax : cluster.Scenario.Duration, losesPower);
    }

    /// <summary>Ends the fault that has this remedy.</summary>
    public void Heal(long remedy)
    {
        if (healed is null)
            remedies[(int)remedy]();
    }

    /// <summary>
    /// Ends all faults for a random majority, made of servers that are not lost. The others may stay broken.
    /// </summary>
    public void End()
    {
        cluster.Network.Faults = new NetworkFaults();
        unmounts.End();
        starvation.End();
        // When members come and go, the majority itself changes, so all servers are healed.
        int majority = cluster.Scenario.HasChurn ? 0 : servers.Length / 2 + 1;
        bool[] chosen = new bool[servers.Length];
        hangs.Leave(Leader(), MayHang(majority), IsOut);
        for (int count = 0; count < majority;)
        {
            int i = random.Next(servers.Length);
            if (!chosen[i] && !IsOut(servers[i]) && !hangs.IsLeft(servers[i]))
            {
                chosen[i] = true;
                count++;
            }
        }
        bool minorityComesToo = random.OneIn(2) || cluster.Scenario.HasChurn;
        for (int i = 0; i < servers.Length; i++)
            chosen[i] |= minorityComesToo && !IsOut(servers[i]) && !hangs.IsLeft(servers[i]);
        healed = chosen;
        foreach (SimulatedServer server in servers)
        {
            if (!chosen[server.Number] && !hangs.IsLeft(server) && !server.IsSpoilt)
                continue;
            // A leader whose disk is hung and full could not record a directory from which it has counted no promise
            // yet. It would drop the acknowledgements from there.
            server.Disk.IsFull = false;
            server.Disk.NextWriteFails = false;
            server.Disk.NextReadFails = false;
            if (hangs.IsLeft(server))
                continue;
            server.Disk.HungWrites.Return();
            if (server.IsPaused)
                server.Resume();
        }
        for (int from = 0; from < servers.Length; from++)
        {
            for (int to = 0; to < servers.Length; to++)
            {
                SimulatedLink link = cluster.Network.Link(from, to);
                // A spoilt server stays connected, so that it learns that its state differs.
                bool isHealed = (chosen[from] || hangs.IsLeft(servers[from]) || servers[from].IsSpoilt)
                    && (chosen[to] || hangs.IsLeft(servers[to]) || servers[to].IsSpoilt);
                // The other servers stay cut off. A leader that only a part of the majority can reach would stay
                // leader, because servers that hear a leader refuse to vote (§6). Raft promises no progress then.
                link.IsCut = !isHealed;
                link.IsClogged = false;
                link.BreaksAtAnswer = false;
            }
        }
    }

    /// <summary>Latest time at which a write that hung at the healing returns; 0 if none will.</summary>
    public long LastReturn => hangs.LastReturn;

    /// <summary>True if the disk of the server that led at the healing still hangs.</summary>
    public bool LeavesHungLeader => hangs.LeavesLeader;

    /// <summary>A write that hung at the healing returns: the server is healed, too.</summary>
    public void ReturnWrite(SimulatedServer server)
    {
        healed![server.Number] = true;
        hangs.Return(server);
    }

    public bool IsHealed(SimulatedServer server) => healed is not null && healed[server.Number];

    /// <summary>True if clients may ask this server: after the healing, only healed members must answer.</summary>
    public bool MayAsk(SimulatedServer server) => healed is null
        ? starvation.MayAsk(server) && !server.IsSpoilt
        : healed[server.Number] && cluster.IsMember(server);

    private void ScheduleNext() =>
        cluster.Events.Schedule(
            random.Between(1_000, cluster.Scenario.FaultIntervalMax), new Event(EventKind.Nemesis, 0, 0, 0));

    private void ScheduleMove()
    {
        Scenario scenario = cluster.Scenario;
        if (scenario.MovesTogether)
            cluster.Events.Schedule(random.Between(1_000, scenario.Duration), new Event(EventKind.MoveAll, 0, 0, 0));
    }

    private void Strike(Fault fault, SimulatedServer server)
    {
        SimulatedServer leader = Leader() ?? server;
        switch (fault)
        {
            case Fault.Crash:
                server.Crash(random.OneIn(2));
                break;
            case Fault.CrashLeader:
                leader.Crash(random.OneIn(2));
                break;
            case Fault.CrashInOperation:
                server.CrashInOperation();
                break;
            case Fault.LosePowerEverywhere:
                LosePowerEverywhere();
                break;
            case Fault.Pause:
                server.Pause(Duration());
                break;
            case Fault.PauseLeader:
                leader.Pause(Duration());
                break;
            case Fault.Isolate:
                Cut((from, to) => from == server.Number || to == server.Number);
                break;
            case Fault.IsolateLeader:
                Cut((from, to) => from == leader.Number || to == leader.Number);
                break;
            case Fault.CutOneWay:
                Cut((from, _) => from == server.Number);
                break;
            case Fault.CutSome:
                Cut((_, _) => random.OneIn(3));
                break;
            case Fault.Split:
                Split(leader);
                break;
            case Fault.ResetConnections:
                ResetConnections(server);
                break;
            case Fault.Clog:
                Clog(server);
                break;
            case Fault.FillDisk:
                server.FillDisk();
                Later(() => server.Disk.IsFull = false);
                break;
            case Fault.FailSync:
                server.Disk.NextWriteFails = true;
                break;
            case Fault.FailRead:
                server.Disk.NextReadFails = true;
                break;
            case Fault.RotDisk:
                Damage(server, isMisdirected: false);
                break;
            case Fault.MisdirectWrite:
                Damage(server, isMisdirected: true);
                break;
            case Fault.Stop:
                (random.OneIn(2) ? leader : server).Stop();
                break;
            case Fault.WipeDisk:
                if (MayLoseOne() && server.IsOnRightVolume && cluster.Connections.IsKnownToAll(server))
                    Wipe(server);
                break;
            case Fault.RotSnapshot:
                if (MayLoseOne() && server.IsOnRightVolume)
                    MachineFaults.DamageSnapshot(server);
                break;
            case Fault.SpoilState:
                if (MayLoseAnother() && server.IsOnRightVolume && !unmounts.MayTake(server))
                    server.Spoil();
                break;
            case Fault.HangDisks:
                Hang(cluster.Scenario.FaultDurationMax, losesPower: true);
                break;
            case Fault.StallDisks:
                Hang(cluster.Scenario.Duration, losesPower: false);
                break;
            case Fault.BreakOneWay:
                BreakOneWay(leader, server);
                break;
            case Fault.ForkUnderJoiner:
                ForkUnderJoiner(leader);
                break;
            // Only one server moves without hints. Two servers that move at once may look for each other at dead
            // addresses.
            case Fault.Move:
                SimulatedServer mover = servers[(int)(cluster.Scenario.Seed % (ulong)cluster.Scenario.Servers)];
                if (mover.IsUp)
                    mover.Move();
                break;
        }
    }

    private SimulatedServer? Leader()
    {
        foreach (SimulatedServer server in servers)
        {
            if (server.Node is { Core.IsLeader: true })
                return server;
        }
        return null;
    }

    private void LosePowerEverywhere()
    {
        cluster.Counters[Counter.PowerLostEverywhere]++;
        foreach (SimulatedServer server in servers)
            server.Crash(losesPower: true);
    }

    private void Cut(Func<int, int, bool> isCut)
    {
        List<SimulatedLink> cut = [];
        for (int from = 0; from < servers.Length; from++)
        {
            for (int to = 0; to < servers.Length; to++)
            {
                if (from != to && isCut(from, to))
                    cut.Add(cluster.Network.Link(from, to));
            }
        }
        foreach (SimulatedLink link in cut)
            link.IsCut = true;
        Later(() => cut.ForEach(link => link.IsCut = false));
    }

    /// <summary>
    /// Splits the cluster at random, or leaves the leader in a part that is one server short of a majority. The
    /// leader's writes will then be overwritten.
    /// </summary>
    private void Split(SimulatedServer leader)
    {
        bool[] sides = new bool[servers.Length];
        if (random.OneIn(2))
        {
            for (int i = 0; i < sides.Length; i++)
                sides[i] = random.OneIn(2);
        }
        else
        {
            for (int i = 0; i < servers.Length / 2; i++)
                sides[(leader.Number + i) % servers.Length] = true;
        }
        Cut((from, to) => sides[from] != sides[to]);
    }

    /// <summary>
    /// Leaves the leader with a server that is not a member, and has the operator add that server there, then again at
    /// another server. Meanwhile the majority may write more entries than one append carries.
    /// </summary>
    private void ForkUnderJoiner(SimulatedServer leader)
    {
        SimulatedServer? joiner = Array.Find(servers, server =>
            server.IsUp && !cluster.IsMember(server) && !cluster.Members.WasRemoved(server.Id));
        if (joiner is null || leader.Node is not { Core.IsLeader: true } || cluster.Members.Members.Count < 3)
            return;
        bool IsCutOff(int server) => server == leader.Number || server == joiner.Number;
        Cut((from, to) => IsCutOff(from) != IsCutOff(to));
        clients.Operator.Plan(leader, joiner);
        Later(() =>
        {
            bool isForked = joiner.Node is { } node && node.Core.Configuration.Cluster.Find(joiner.Id) is not null
                && !cluster.IsMember(joiner);
            cluster.Counters[Counter.JoinersForked] += isForked ? 1 : 0;
            clients.Operator.Plan(servers[random.Next(servers.Length)], joiner);
        });
    }

    private void ResetConnections(SimulatedServer server)
    {
        cluster.Counters[Counter.ConnectionsReset]++;
        foreach (SimulatedServer other in servers)
        {
            if (other == server)
                continue;
            cluster.Connections.Disconnect(server.Number, other.Number);
            if (random.OneIn(2))
                cluster.Connections.Disconnect(other.Number, server.Number);
        }
    }

    private void BreakOneWay(SimulatedServer leader, SimulatedServer server)
    {
        (SimulatedServer dialler, SimulatedServer dialled) = random.OneIn(2) ? (leader, server) : (server, leader);
        if (leader == server)
            return;
        cluster.Counters[Counter.LinksBroken]++;
        if (random.OneIn(2))
        {
            cluster.Network.Link(leader.Number, server.Number).BreaksAtAnswer = true;
            return;
        }
        cluster.Connections.Disconnect(dialler.Number, dialled.Number);
        Cut((from, to) => from == dialler.Number && to == dialled.Number);
    }

    private void Clog(SimulatedServer server)
    {
        SimulatedServer other = servers[random.Next(servers.Length)];
        SimulatedLink link = cluster.Network.Link(other.Number, server.Number);
        link.IsClogged = true;
        Later(() => link.IsClogged = false);
    }

    /// <summary>Damages a server's log. Damage stays within a minority, which a cluster survives.</summary>
    private void Damage(SimulatedServer server, bool isMisdirected)
    {
        if (MayLoseOne() && server.IsOnRightVolume)
            MachineFaults.DamageLog(server, isMisdirected);
    }

    /// <summary>
    /// Hangs the disks of some servers. A write that never returns ends with its machine; a stalled one returns late.
    /// </summary>
    private void Hang(long durationMax, bool losesPower)
    {
        foreach (SimulatedServer server in hangs.Strike())
            EndHang(server, durationMax, losesPower);
    }

    private void EndHang(SimulatedServer server, long durationMax, bool losesPower)
    {
        remedies.Add(() =>
        {
            if (losesPower)
                server.Crash(losesPower: true);
            server.Disk.HungWrites.Return();
        });
        long delay = random.Between(1_000, durationMax);
        cluster.Events.Schedule(delay, new Event(EventKind.Heal, 0, 0, remedies.Count - 1));
    }

    /// <summary>Number of servers whose disks may hang after the healing.</summary>
    private int MayHang(int majority)
    {
        int left = cluster.Scenario.HasChurn ? 0 : servers.Length - majority;
        foreach (SimulatedServer server in servers)
            left -= IsOut(server) ? 1 : 0;
        return left;
    }

    private bool MayLoseOne() => MayLoseAnother() && random.OneIn(4);

    /// <summary>True while the loss of one more server leaves a majority.</summary>
    private bool MayLoseAnother()
    {
        int lost = 0;
        foreach (SimulatedServer other in servers)
            lost += IsOut(other) || unmounts.MayTake(other) ? 1 : 0;
        return lost < (servers.Length - 1) / 2 && !cluster.Scenario.HasChurn;
    }

    /// <summary>
    /// Wipes a disk. If all others keep the directory of this server, another directory that holds promises must not
    /// replace it either.
    /// </summary>
    private void Wipe(SimulatedServer server)
    {
        bool isKept = Array.TrueForAll(servers, other => other == server || other.Keeps(server));
        cluster.Counters[Counter.KeptDirectoriesReplaced] += isKept && server.IsUp ? 1 : 0;
        server.Wipe(claimsPromises: isKept);
    }

    private static bool IsOut(SimulatedServer server) => server.IsLost || server.IsWiped || server.IsSpoilt;

    private long Duration() => random.Between(1_000, cluster.Scenario.FaultDurationMax);

    private void Later(Action remedy)
    {
        remedies.Add(remedy);
        cluster.Events.Schedule(Duration(), new Event(EventKind.Heal, 0, 0, remedies.Count - 1));
    }
}
