using RaftFast.Consensus;
using RaftFast.Linearizability;
using RaftFast.Protocol;
using RaftFast.Simulation.Clients;
using RaftFast.Simulation.Disk;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Exhaustive;
using RaftFast.Simulation.Faults;
using RaftFast.Simulation.Invariants;
using RaftFast.Simulation.Network;
using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Scenarios;
using RaftFast.Simulation.Servers;

namespace RaftFast.Simulation;

/// <summary>One history of a whole cluster. Everything in it follows from the scenario's seed.</summary>
internal sealed class Cluster : IDisposable
{
    private readonly SimulatedServer[] servers;
    private readonly SimulatedClients clients;
    private readonly Nemesis nemesis;
    private readonly ArmedCrash crash;
    private readonly ChangesOnFullDisks fullDisks;
    private readonly RunTrace trace;

    /// <summary>Draws the clients' choices, and the delays of connections and restarts.</summary>
    private readonly SeededRandom choices;

    private int lastValue;

    public Cluster(Scenario scenario, Counters counters, RunTrace trace, CrashPoint? crashPoint = null)
    {
        Scenario = scenario;
        Counters = counters;
        this.trace = trace;
        SeededRandom random = new(scenario.Seed);
        choices = random.Fork("clients");
        int total = scenario.Servers + scenario.Spares;
        LostAnswers = new LostAnswers(this);
        Network = new SimulatedNetwork(
            total, Events, random.Fork("network"), scenario.Network, counters, LostAnswers);
        Connections = new Connections(this, total, choices, random.Fork("late news"));
        SnapshotTransfers = new SnapshotTransfers(this, random.Fork("snapshot transfers"));
        Invariants = new ClusterInvariants(total, counters);
        States = new StateHistory(this);
        Expiries = new Expiries(this, (key, value) => History.Invoke(Operation.Expire(client: -1, key, value)));
        TransactionExpiries = new Expiries(
            this, (key, value) => Transactions.Invoke(TransactionOperation.Expiry(key, value)));
        servers = new SimulatedServer[total];
        for (int i = 0; i < servers.Length; i++)
        {
            SeededRandom own = random.Fork($"server {i}");
            long skew = 100 * own.Between(-scenario.ClockSkewPercent, scenario.ClockSkewPercent);
            servers[i] = new SimulatedServer(this, i, own) { TickPeriod = 10_000 + skew };
        }
        clients = new SimulatedClients(this, random, choices);
        nemesis = new Nemesis(this, servers, clients, random.Fork("nemesis"));
        crash = new ArmedCrash(crashPoint, servers);
        fullDisks = new ChangesOnFullDisks(this);
    }

    public IReadOnlyList<SimulatedServer> Servers => servers;

    public Scenario Scenario { get; }

    public Counters Counters { get; }

    public EventQueue Events { get; } = new();

    public SimulatedNetwork Network { get; }

    public Connections Connections { get; }

    public SnapshotTransfers SnapshotTransfers { get; }

    public ClusterInvariants Invariants { get; }

    public LostAnswers LostAnswers { get; }

    public History History { get; } = new();

    /// <summary>Operations on the keys of transactions.</summary>
    public TransactionHistory Transactions { get; } = new();

    public StateHistory States { get; }

    public Expiries Expiries { get; }

    public Expiries TransactionExpiries { get; }

    public CounterKey Count { get; } = new();

    /// <summary>The last committed configuration.</summary>
    public ClusterConfiguration Members => Invariants.LatestConfiguration ?? ConfigurationAtFirst(0);

    public bool IsMember(SimulatedServer server) => Members.Find(server.Id) is not null;

    /// <summary>Runs the whole history. Throws at the first violation.</summary>
    public void Run()
    {
        foreach (SimulatedServer server in servers)
            server.Start();
        clients.Begin();
        nemesis.Begin();
        EventDispatch dispatch = new(this, clients, nemesis, trace);
        dispatch.RunUntil(Scenario.Duration, () => false);
        nemesis.End();
        new HealedCluster(this, clients, nemesis, dispatch).Judge();
    }

    public void Dispose()
    {
        foreach (SimulatedServer server in servers)
            server.Dispose();
    }

    /// <summary>Returns a value that no client has written before.</summary>
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

    public void OnSaying(int server, Message message)
    {
        Invariants.OnSaying(server, message);
        if (message.Type == MessageType.TimeoutNow)
            CountHandOver(servers[server].Node!.Core);
        trace.Said(Events.Now, message);
    }

    private void CountHandOver(RaftCore leader)
    {
        if (leader.LogWriteIsOverdue)
            Counters[Counter.HungLeadersHandOver]++;
        else if (leader.LacksRoom)
            Counters[Counter.FullLeadersHandOver]++;
    }

    /// <summary>Called before and after a server puts a message on the wire.</summary>
    public void OnSend(SimulatedServer server, CrashMoment moment) => crash.OnSend(server, moment);

    /// <summary>Called when a server has processed a batch of inputs.</summary>
    public void OnStepped(SimulatedServer server)
    {
        Invariants.OnStepped(server.Number, server.Node!.Core);
        clients.Operator.CheckAnswer();
        fullDisks.OnStepped();
        OnApplied(server);
        clients.OnStepped(server);
        trace.Stepped(Events.Now, server.Number, server.Node.Core);
    }

    public void OnApplied(SimulatedServer server)
    {
        long applied = server.Node!.Core.Log.Applied;
        // A spoilt server may have applied an entry first. Its state is therefore compared again, though it has applied
        // nothing more.
        if (!Invariants.HasApplied(server.Number, applied) && !server.IsSpoilt)
            return;
        ulong state = StoreContents.Hash(server.Store!, Scenario);
        if (server.IsSpoilt)
        {
            server.IsTakenAway = Invariants.IsStateAt(applied, state);
            return;
        }
        Invariants.OnApplied(applied, state, server.Number);
        States.Record(server);
    }

    public void OnAnswered(int status, SimulatedServer server) =>
        trace.Note(Events.Now, server.Number, $"answers {status}");

    public void OnStarted(SimulatedServer server) => trace.Note(Events.Now, server.Number, "starts");

    public void OnDied(SimulatedServer server)
    {
        trace.Note(Events.Now, server.Number, "dies");
        crash.OnDied(server);
        Connections.DisconnectAll(server);
        clients.OnDied(server);
        // An operator may start a removed server again. The members then tell the server of its removal again.
        if (!server.IsLost && (!server.IsRemoved || choices.OneIn(2)))
        {
            long delay = choices.Between(1_000, Scenario.FaultDurationMax);
            Events.Schedule(delay, new Event(EventKind.Restart, server.Number, server.Incarnation, 0));
        }
    }
}
