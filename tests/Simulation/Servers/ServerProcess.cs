using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Loop;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Recovery;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Faults;
using RaftFast.Simulation.Network;
using RaftFast.Simulation.Reports;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Simulation.Servers;

/// <summary>
/// One process of a server, from its start to its death. It has the real node, recovered from the server's disk, and
/// the parts that drive the node: loop, log writer and snapshots.
/// </summary>
internal sealed class ServerProcess : IDisposable
{
    /// <summary>Maximum difference between two clocks, in milliseconds: a month.</summary>
    private const long ClockAtZeroMax = 30L * 24 * 3600 * 1000;

    /// <summary>Ticks between two comparisons of states: few, so that every history has many comparisons.</summary>
    private const int ComparisonTicks = 50;

    /// <summary>Maximum digests that a process remembers: few, so that some are forgotten.</summary>
    private const int DigestsMax = 256;

    private StateMachine? state;

    public ServerProcess(SimulatedServer server, Cluster cluster, SeededRandom random)
    {
        Server = server;
        Cluster = cluster;
        Random = random;
        Network = new ServerNetwork(server, cluster);
        Loop = new SimulatedLoop(this);
        Writer = new SimulatedWriter(this);
        Snapshots = new ServerSnapshots(this);
        Reads = new ServerReads(this, random.Fork($"reads {server.Incarnation}"));
    }

    public SimulatedServer Server { get; }

    public Cluster Cluster { get; }

    public SeededRandom Random { get; }

    public ServerNetwork Network { get; }

    public SimulatedLoop Loop { get; }

    public SimulatedWriter Writer { get; }

    public ServerSnapshots Snapshots { get; }

    public ServerReads Reads { get; }

    public SnapshotStore? SnapshotFiles { get; private set; }

    public PeerAdmission? Admission { get; private set; }

    public MetDirectories? Met { get; private set; }

    public Acceptance? Acceptance { get; private set; }

    public Wal? Log { get; private set; }

    public KeyValueStore? Store => state?.Store;

    /// <summary>
    /// The process's monotonic clock, in milliseconds. Each process has its own zero, so two clocks may be weeks apart.
    /// Each server's clock has its own rate.
    /// </summary>
    public long Clock => ClockAtZero + (Cluster.Events.Now * 10 / Server.TickPeriod);

    /// <summary>The node; null before its recovery is complete, and after the death of the process.</summary>
    public RaftNode? Node { get; private set; }

    /// <summary>True if the log began after damage that a snapshot covers.</summary>
    public bool HasPassedOverDamage { get; private set; }

    /// <summary>True once the node stops because its server was removed from the cluster.</summary>
    public bool MustExit { get; private set; }

    /// <summary>
    /// True once the process may end after a request to stop: another server leads, or none could take over.
    /// </summary>
    public bool HasStopped { get; private set; }

    private long ClockAtZero { get; set; }

    /// <summary>Recovers the node from the disk, and starts it.</summary>
    public void Boot()
    {
        SnapshotFiles = SnapshotStore.Open(Server.Disk, clusterId: 1);
        int files = SnapshotFiles.Files.Count;
        RecoveredState recovered = RecoveredState.Load(
            SnapshotFiles, new StartProgress(TimeProvider.System), NullLogger.Instance);
        if (Server.SpoilsAtStart)
        {
            recovered = SpoiltState.Of(recovered, Random.Fork("spoilt state"), out bool isChanged);
            Server.SpoilsAtStart = false;
            Cluster.Counters[Counter.StatesSpoilt] += isChanged ? 1 : 0;
        }
        state = new StateMachine(recovered.Store, digestsMax: DigestsMax);
        Cluster.Counters[Counter.SnapshotsDamaged] += files - SnapshotFiles.Files.Count;
        if (recovered.Position != default)
            Cluster.Counters[Counter.RecoveriesFromSnapshot]++;
        Log = Wal.Open(
            Server.Disk, clusterId: 1, Server.Id, Cluster.Scenario.Wal, recovered.Position, out WalRecovery recovery);
        if (recovery.TornTail is not null)
            Cluster.Counters[Counter.TornBatchesInRecovery]++;
        HasPassedOverDamage = recovery.CoveredDamage is not null;
        if (HasPassedOverDamage)
            Cluster.Counters[Counter.CoveredDamagePassedOver]++;
        CreateNode(Log, recovered, recovery);
        SeededRandom clock = Random.Fork($"clock {Server.Incarnation}");
        ClockAtZero = clock.OneIn(2) ? 0 : clock.Between(0, ClockAtZeroMax);
        Node!.AdvanceTo(Clock);
        if (recovery.WasReset)
            Server.OnStateReplaced(recovered.Position, recovered.Configuration!.Value.Index);
        Cluster.Invariants.OnStarted(Server.Number, Node.Core);
        Cluster.OnApplied(Server);
        Schedule(Random.Between(1, Server.TickPeriod), EventKind.Tick);
        Cluster.OnStarted(Server);
        Network.Hint(Server.Hints, this);
        Server.Survive(Writer.PrepareSegment);
    }

    /// <summary>Asks the node to stop. A leader hands leadership over first.</summary>
    public void Stop()
    {
        bool leads = Node!.Core.IsLeader;
        Node.OnStopRequested();
        if (leads && !HasStopped)
            Cluster.Counters[Counter.LeadershipHandedOver] += Node.Core.IsHandingOver ? 1 : 0;
        Loop.Wake();
    }

    /// <summary>Handles an event of this process.</summary>
    public void Handle(in Event happening)
    {
        switch (happening.Kind)
        {
            case EventKind.Tick:
                Loop.OnTick();
                break;
            case EventKind.Run:
                Loop.Run();
                break;
            case EventKind.Resume:
                Loop.Resume();
                break;
            case EventKind.Connect:
                Network.Attempt(happening.Argument);
                break;
            case EventKind.Hint:
                Network.LookAtHint(happening.Argument, this);
                break;
            case EventKind.DiskBegins:
                Writer.Begin();
                break;
            case EventKind.DiskCompletes:
                Writer.Complete();
                break;
            case EventKind.Seal:
                Writer.Seal(happening.Argument);
                break;
            case EventKind.PrepareSegment:
                Writer.PrepareSegment();
                break;
            case EventKind.ReadStep:
                Reads.Step(happening.Argument);
                break;
            case EventKind.ReadReturns:
                Reads.Return(happening.Argument);
                break;
            case EventKind.SnapshotStep:
                Snapshots.Step();
                break;
        }
    }

    /// <summary>Schedules an event that only this process gets.</summary>
    public void Schedule(long delay, EventKind kind, long argument = 0) =>
        Cluster.Events.Schedule(delay, new Event(kind, Server.Number, Server.Incarnation, argument));

    public void Dispose()
    {
        Node = null;
        Snapshots.Discard();
        state?.Dispose();
        state = null;
        Log?.Dispose();
        Loop.Discard();
    }

    private void CreateNode(Wal log, RecoveredState recovered, WalRecovery recovery)
    {
        ConfigurationHistory configurations = CoreRecovery.Configurations(
            Server.Identity.Configuration, recovered.Configuration, recovery);
        Met = MetDirectories.Open(Server.Disk);
        Admission = new PeerAdmission(
            Server.Identity, Met, TimeProvider.System, NullLogger.Instance);
        Acceptance = new Acceptance(CoreRecovery.HasPromised(recovered, recovery));
        int incarnation = Server.Incarnation;
        RaftCore core = new(
            Server.Id, configurations, Cluster.Scenario.Raft, recovery.HardState, CoreRecovery.TermRuns(recovery),
            Random.Fork($"election {incarnation}"), recovered.Position.Index);
        SnapshotOptions options = new()
        {
            EveryEntries = Cluster.Scenario.SnapshotEvery,
            EveryBytes = 0,
            WaitsForItsSize = false,
        };
        Node = new RaftNode(new NodeParts
        {
            Core = core,
            Wal = log,
            State = state!,
            SnapshotFiles = SnapshotFiles!,
            Recovered = recovery.HardState,
            Network = Network,
            Acceptance = Acceptance,
            Address = Server.Identity.Address,
            Snapshots = options,
            ComparisonTicks = ComparisonTicks,
            Idempotency = new IdempotencyOptions { Window = Cluster.Scenario.IdempotencyWindow },
            Actions = Actions(),
            FirstNumber = Random.Between(1, long.MaxValue / 2),
            RequestTimeout = Cluster.Scenario.RequestTimeout,
            Random = Random.Fork($"snapshots {incarnation}"),
            Logger = NullLogger.Instance,
        });
    }

    private NodeActions Actions() => new()
    {
        WakeWriter = Writer.Wake,
        WakeSegments = Writer.WakeSegments,
        RunSnapshot = Snapshots.Take,
        ReadEntries = Reads.Begin,
        Free = static store => store.Dispose(),
        Resume = static owners =>
        {
            foreach (IRequestOwner owner in owners)
                owner.Resume();
        },
        HandedOver = () => HasStopped = true,
        Stop = () => MustExit = true,
    };
}
