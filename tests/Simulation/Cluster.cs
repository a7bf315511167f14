using RaftFast.Consensus;
using RaftFast.Linearizability;
using RaftFast.Protocol;
using RaftFast.Simulation.Disk;
using RaftFast.Simulation.Exhaustive;
using RaftFast.Simulation.Invariants;
using RaftFast.Simulation.Network;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Simulation;

/// <summary>One history of a whole cluster. Everything in it follows from the scenario's seed.</summary>
internal sealed class Cluster : IDisposable
{
    /// <summary>
    /// Microseconds within which a cluster must serve again after its faults have ended: several elections at the
    /// slowest setting.
    /// </summary>
    private const long RecoveryMax = 60_000_000;

    private readonly SimulatedServer[] servers;
    private readonly SimulatedClient[] clients;
    private readonly SimulatedOperator membershipOperator;
    private readonly bool[,] hasMet;
    private readonly List<SnapshotTransfer> transfers = [];
    private readonly SeededRandom transferRandom;
    private readonly SeededRandom clientRandom;
    private readonly Nemesis nemesis;
    private readonly Trace trace;
    private CrashPoint? crashPoint;
    private int lastValue;
    private long servedSinceHealed;

    public Cluster(Scenario scenario, Counters counters, Trace trace, CrashPoint? crash = null)
    {
        Scenario = scenario;
        Counters = counters;
        this.trace = trace;
        SeededRandom random = new(scenario.Seed);
        clientRandom = random.Fork("clients");
        transferRandom = random.Fork("snapshot transfers");
        Events = new EventQueue();
        int total = scenario.Servers + scenario.Spares;
        hasMet = new bool[total, total];
        Network = new SimulatedNetwork(total, Events, random.Fork("network"), scenario.Network, counters);
        Invariants = new ClusterInvariants(total, counters);
        History = new History();
        servers = new SimulatedServer[total];
        for (int i = 0; i < servers.Length; i++)
        {
            SeededRandom own = random.Fork($"server {i}");
            long skew = 100 * own.Between(-scenario.ClockSkewPercent, scenario.ClockSkewPercent);
            servers[i] = new SimulatedServer(this, i, own) { TickPeriod = 10_000 + skew };
        }
        clients = new SimulatedClient[scenario.Clients];
        for (int i = 0; i < clients.Length; i++)
            clients[i] = new SimulatedClient(this, i, random.Fork($"client {i}"));
        membershipOperator = new SimulatedOperator(this, random.Fork("operator"));
        nemesis = new Nemesis(this, servers, random.Fork("nemesis"));
        crashPoint = crash;
        if (crash is { Kind: CrashPointKind.DiskOperation } operation)
            servers[operation.Server].Disk.CrashAt(operation.Ordinal, operation.Moment);
    }

    public IReadOnlyList<SimulatedServer> Servers => servers;

    public Scenario Scenario { get; }

    public Counters Counters { get; }

    public EventQueue Events { get; }

    public SimulatedNetwork Network { get; }

    public ClusterInvariants Invariants { get; }

    public History History { get; }

    /// <summary>Runs the whole history. Throws at the first violation.</summary>
    public void Run()
    {
        foreach (SimulatedServer server in servers)
            server.Start();
        foreach (SimulatedClient client in clients)
            client.Think();
        if (Scenario.HasChurn)
            membershipOperator.Think();
        nemesis.Begin();
        RunUntil(Scenario.Duration, () => false);
        nemesis.End();
        servedSinceHealed = 0;
        long deadline = Events.Now + RecoveryMax;
        Require(RunUntil(deadline, () => servedSinceHealed >= 3L * servers.Length), "the healed majority does not serve");
        foreach (SimulatedClient client in clients)
            client.IsRetired = true;
        membershipOperator.IsRetired = true;
        Require(RunUntil(deadline, HasSettled), "the healed majority does not settle");
        RequireEqualStores();
        CheckResult result = LinearizabilityChecker.Check(History.Snapshot());
        Require(result.Linearizable, $"the history is not linearizable\n{result}");
    }

    public void Dispose()
    {
        foreach (SimulatedServer server in servers)
            server.Dispose();
    }

    public int NextValue() => ++lastValue;

    /// <summary>
    /// Returns a server's initial configuration. The first servers are the cluster's members; the others wait to join.
    /// </summary>
    public ClusterConfiguration ConfigurationAtFirst(int server)
    {
        Member[] members = new Member[server < Scenario.Servers ? Scenario.Servers : 0];
        for (int i = 0; i < members.Length; i++)
            members[i] = new Member((ulong)i + 1, SimulatedServer.AddressOf(i, 0));
        return new ClusterConfiguration(1, members);
    }

    public bool IsMember(SimulatedServer server) => (Invariants.LatestConfiguration ?? ConfigurationAtFirst(0)).Find(server.Id) is not null;

    public bool SendSnapshot(SimulatedServer from, SimulatedServer to, long term)
    {
        bool isUnderWay = transfers.Exists(transfer => transfer.From == from && transfer.To == to && !transfer.IsOver);
        if (isUnderWay || !Network.Link(from.Number, to.Number).IsConnected)
            return false;
        SnapshotReader reader = from.Snapshots!.Read(from.Snapshots.Files[0]);
        transfers.RemoveAll(transfer => transfer.IsOver);
        transfers.Add(new SnapshotTransfer(this, from, to, term, reader, transferRandom.Fork($"{transferRandom.NextUInt64()}")));
        ScheduleTransfers();
        return true;
    }

    /// <summary>
    /// Index of the last entry in the oldest snapshot on its way from this server; MaxValue if there is none.
    /// </summary>
    public long OldestSnapshotBeingSent(SimulatedServer from)
    {
        long oldest = long.MaxValue;
        foreach (SnapshotTransfer transfer in transfers)
        {
            if (transfer.From == from && !transfer.IsOver)
                oldest = Math.Min(oldest, transfer.Index);
        }
        return oldest;
    }

    private void ScheduleTransfers() =>
        Events.Schedule(transferRandom.Between(100, 5_000), new Event(EventKind.SnapshotArrives, 0, 0, 0));

    /// <summary>Delivers a part of each snapshot on its way. A server whose disk fails meanwhile dies.</summary>
    private void StepTransfers()
    {
        bool goesOn = false;
        foreach (SnapshotTransfer transfer in transfers.ToArray())
        {
            transfer.CheckDecision();
            transfer.To.Survive(() => goesOn |= transfer.Step());
            goesOn |= !transfer.IsOver;
        }
        if (goesOn)
            ScheduleTransfers();
    }

    public void Dial(int from, int to) =>
        Events.Schedule(clientRandom.Between(100, 20_000), new Event(EventKind.Connect, from, 0, to));

    /// <summary>True if every other server would notice that this server comes back with another directory.</summary>
    public bool IsKnownToAll(SimulatedServer server)
    {
        foreach (SimulatedServer other in servers)
        {
            if (other != server && !hasMet[other.Number, server.Number])
                return false;
        }
        return true;
    }

    public void OnSaying(int server, Message message)
    {
        Invariants.OnSaying(server, message);
        trace.Said(Events.Now, message);
    }

    /// <summary>Called before and after a server puts a message on the wire.</summary>
    public void OnSend(SimulatedServer server, CrashMoment moment)
    {
        if (crashPoint is { Kind: CrashPointKind.Send } point
            && point.Server == server.Number && point.Ordinal == server.Sends && point.Moment == moment)
        {
            throw new SimulatedCrashException($"simulated: the process died {moment} a message");
        }
    }

    public void OnStepped(SimulatedServer server)
    {
        Invariants.OnStepped(server.Number, server.Node!.Core);
        membershipOperator.CheckAnswer();
        OnApplied(server);
        trace.Stepped(Events.Now, server.Number, server.Node.Core);
    }

    public void OnApplied(SimulatedServer server) =>
        Invariants.OnApplied(server.Number, server.Node!.Core.Log.Applied, StateHash(server));

    public void OnAnswered(int status, SimulatedServer server, bool isPut)
    {
        trace.Note(Events.Now, server.Number, $"answers {status}");
        if (status is 200 or 204 or 404)
            servedSinceHealed++;
    }

    public void OnStarted(SimulatedServer server)
    {
        trace.Note(Events.Now, server.Number, "starts");
        foreach (SimulatedServer other in servers)
        {
            if (other == server)
                continue;
            Events.Schedule(clientRandom.Between(100, 20_000), new Event(EventKind.Connect, server.Number, 0, other.Number));
            Events.Schedule(clientRandom.Between(100, 20_000), new Event(EventKind.Connect, other.Number, 0, server.Number));
        }
    }

    public void OnDied(SimulatedServer server)
    {
        trace.Note(Events.Now, server.Number, "dies");
        if (crashPoint is { } point && point.Server == server.Number)
        {
            crashPoint = null;
            foreach (SimulatedServer other in servers)
            {
                if (point.Everywhere && other != server)
                    other.Crash(losesPower: true);
            }
        }
        foreach (SimulatedServer other in servers)
        {
            if (other == server)
                continue;
            Disconnect(server.Number, other.Number);
            Disconnect(other.Number, server.Number);
        }
        foreach (SimulatedClient client in clients)
            client.OnDied(server);
        membershipOperator.OnDied(server);
        // An operator may start a removed server again; the members then tell it again that it is removed.
        if (!server.IsLost && (!server.IsRemoved || clientRandom.OneIn(2)))
            Events.Schedule(clientRandom.Between(1_000, Scenario.FaultDurationMax), new Event(EventKind.Restart, server.Number, server.Incarnation, 0));
    }

    /// <summary>Breaks a connection: its frames in flight are lost, and the dialling side is told.</summary>
    public void Disconnect(int from, int to)
    {
        SimulatedLink link = Network.Link(from, to);
        link.Epoch++;
        if (!link.IsConnected)
            return;
        link.IsConnected = false;
        servers[from].Deliver(new Input(EventKind.Lost) { Peer = (ulong)to + 1 });
        Events.Schedule(clientRandom.Between(1_000, 100_000), new Event(EventKind.Connect, from, 0, to));
    }

    private bool RunUntil(long deadline, Func<bool> isDone)
    {
        while (!isDone())
        {
            if (!Events.TryNext(deadline, out Event happening))
                return false;
            Dispatch(happening);
        }
        return true;
    }

    private void Dispatch(in Event happening)
    {
        trace.Count();
        switch (happening.Kind)
        {
            case EventKind.Deliver:
                Arrive(happening.Argument);
                return;
            case EventKind.Connect:
                Connect(happening.Actor, (int)happening.Argument);
                return;
            case EventKind.ClientThinks:
                Ask(clients[happening.Actor]);
                return;
            case EventKind.SnapshotArrives:
                StepTransfers();
                return;
            case EventKind.OperatorThinks:
                membershipOperator.Ask();
                return;
            case EventKind.Nemesis:
                nemesis.Strike();
                return;
            case EventKind.Heal:
                nemesis.Heal(happening.Argument);
                return;
        }
        SimulatedServer server = servers[happening.Actor];
        if (happening.Incarnation != server.Incarnation)
            return;
        switch (happening.Kind)
        {
            case EventKind.Restart:
                server.Start();
                break;
            case EventKind.Tick:
                server.OnTick();
                break;
            case EventKind.Run:
                server.Run();
                break;
            case EventKind.DiskBegins:
                server.BeginWrite();
                break;
            case EventKind.DiskCompletes:
                server.CompleteWrite();
                break;
            case EventKind.Seal:
                server.Seal(happening.Argument);
                break;
            case EventKind.SnapshotStep:
                server.StepSnapshot();
                break;
            case EventKind.PrepareSegment:
                server.PrepareSegment();
                break;
            case EventKind.Resume:
                server.Resume();
                break;
        }
    }

    private void Arrive(long slot)
    {
        if (!Network.TryTake(slot, out FrameInFlight frame))
            return;
        if (servers[frame.To].IsUp)
            servers[frame.To].Deliver(new Input(EventKind.Deliver) { Frame = frame });
        else
            SimulatedNetwork.Return(frame);
    }

    private void Connect(int from, int to)
    {
        SimulatedLink link = Network.Link(from, to);
        if (link.IsConnected || !servers[from].IsUp || !servers[to].IsUp)
            return;
        if (link.IsCut)
        {
            Events.Schedule(100_000, new Event(EventKind.Connect, from, 0, to));
            return;
        }
        SimulatedServer dialler = servers[from];
        if (!dialler.Network.Dials(to, servers[to].Identity.Address) || servers[to].Admit(dialler) is not { } status)
            return;
        if (status != HandshakeStatus.Accepted)
        {
            dialler.Deliver(new Input(EventKind.Refused) { Peer = servers[to].Id, Status = status });
            Events.Schedule(1_000_000, new Event(EventKind.Connect, from, 0, to));
            return;
        }
        link.IsConnected = true;
        hasMet[to, from] = true;
        dialler.Deliver(new Input(EventKind.Connected) { Peer = servers[to].Id });
        servers[to].Deliver(new Input(EventKind.Announced) { Peer = dialler.Id, Address = dialler.Identity.Address });
    }

    private void Ask(SimulatedClient client)
    {
        SimulatedServer server = servers[clientRandom.Next(servers.Length)];
        if (client.IsRetired || !server.IsUp || !nemesis.MayAsk(server))
            client.Think();
        else
            client.Ask(server, clientRandom.Next(Scenario.Keys), clientRandom.Next(100) < Scenario.PutPercent);
    }

    private bool HasSettled()
    {
        foreach (SimulatedClient client in clients)
        {
            if (client.IsWaiting)
                return false;
        }
        ClusterConfiguration members = Invariants.LatestConfiguration ?? ConfigurationAtFirst(0);
        foreach (Member member in members.Members)
        {
            if (member.Role != MemberRole.Voter || member.IsOutgoingVoter)
                return false;
        }
        LogPosition? last = null;
        foreach (SimulatedServer server in servers)
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
        }
        return true;
    }

    /// <summary>
    /// True if a removed server can reach a member at an address that it knows, and so learns of its removal.
    /// </summary>
    private bool CanReachAMember(SimulatedServer server, ClusterConfiguration members)
    {
        foreach (Member member in members.Members)
        {
            SimulatedServer other = servers[(int)member.Id - 1];
            if (server.IsUp && server.Network.Dials(other.Number, other.Identity.Address))
                return true;
        }
        return false;
    }

    private void RequireEqualStores()
    {
        SimulatedServer? first = null;
        foreach (SimulatedServer server in servers)
        {
            if (!nemesis.IsHealed(server) || !IsMember(server))
                continue;
            first ??= server;
            for (int key = 0; key < Scenario.Keys; key++)
            {
                byte[] name = SimulatedClient.KeyBytes(key);
                bool isThere = first.Store!.TryGet(name, out ReadOnlySpan<byte> expected, out long expectedIndex);
                bool isHere = server.Store!.TryGet(name, out ReadOnlySpan<byte> actual, out long actualIndex);
                Require(isThere == isHere && expectedIndex == actualIndex && expected.SequenceEqual(actual), "equal logs give different states");
            }
        }
    }

    /// <summary>Hash of every key, its value, and the index of its last write.</summary>
    private ulong StateHash(SimulatedServer server)
    {
        ulong hash = 14695981039346656037;
        for (int key = 0; key < Scenario.Keys; key++)
        {
            bool exists = server.Store!.TryGet(SimulatedClient.KeyBytes(key), out ReadOnlySpan<byte> value, out long index);
            hash = (hash ^ (ulong)(exists ? index : -1)) * 1099511628211;
            hash = (hash ^ Crc32C.Compute(value)) * 1099511628211;
        }
        return hash;
    }

    private static void Require(bool property, string otherwise)
    {
        if (!property)
            throw new InvariantException(otherwise);
    }
}
