using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Consensus;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Loop;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Recovery;
using RaftFast.Simulation.Disk;
using RaftFast.Simulation.Invariants;
using RaftFast.Simulation.Network;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Simulation;

/// <summary>
/// A machine: a disk that outlives its process, and the real node on it while the process runs. The node is driven as
/// NodeLoop and WalWriter drive it: inputs gather in an inbox, one batch of inputs is taken at a time, and one write is
/// in progress at a time.
/// </summary>
internal sealed class SimulatedServer : IDisposable
{
    private readonly Cluster cluster;
    private readonly SeededRandom random;
    private readonly Queue<Input> inbox = new();
    private readonly ServerNetwork network;

    private Wal? wal;
    private StateMachine? state;
    private SnapshotTask? taking;
    private ReceivedSnapshot? arrived;
    private WalBatch writing;
    private bool isWriting;
    private bool isRunScheduled;
    private bool isPaused;
    private bool mustExit;

    /// <summary>True once the log was reset for a snapshot.</summary>
    private bool hasRestarted;
    private StopRequest? stopRequest;
    private int moves;
    private Counter damage;

    public SimulatedServer(Cluster cluster, int number, SeededRandom random)
    {
        this.cluster = cluster;
        this.random = random;
        Number = number;
        Identity = NewIdentity();
        Disk = new SimulatedDisk(random.Fork("disk"), cluster.Counters)
        {
            Written = image => cluster.Invariants.OnWritten(number, image),
            Torn = image => cluster.Invariants.OnTorn(number, image),
        };
        network = new ServerNetwork(this, cluster);
    }

    public int Number { get; }

    public SimulatedDisk Disk { get; }

    public ulong Id => (ulong)Number + 1;

    /// <summary>Identity as the data directory keeps it: it outlives the process, but not the disk.</summary>
    public NodeIdentity Identity { get; private set; }

    public PeerAdmission? Admission { get; private set; }

    public ServerNetwork Network => network;

    public RaftNode? Node { get; private set; }

    public KeyValueStore? Store => state?.Store;

    public SnapshotStore? Snapshots { get; private set; }

    /// <summary>Number of the process; its events end with it.</summary>
    public int Incarnation { get; private set; }

    public bool IsUp => Node is not null;

    public bool IsPaused => isPaused;

    /// <summary>
    /// True if the server is out for good: its disk is empty, or has damage over which the server refuses to start.
    /// </summary>
    public bool IsLost { get; private set; }

    public bool IsWiped { get; private set; }

    /// <summary>True once the server has been told that it is no longer a member.</summary>
    public bool IsRemoved { get; private set; }

    /// <summary>Number of messages sent by all of its processes.</summary>
    public long Sends { get; set; }

    /// <summary>Microseconds between ticks. The server's clock may run fast or slow.</summary>
    public long TickPeriod { get; set; } = 10_000;

    public void Start()
    {
        Invariant.Hold(!IsUp);
        try
        {
            Snapshots = SnapshotStore.Open(Disk, clusterId: 1);
            int snapshots = Snapshots.Files.Count;
            RecoveredState recovered = RecoveredState.Load(Snapshots, NullLogger.Instance);
            state = new StateMachine(recovered.Store);
            cluster.Counters[Counter.SnapshotsDamaged] += snapshots - Snapshots.Files.Count;
            if (recovered.Position != default)
                cluster.Counters[Counter.RecoveriesFromSnapshot]++;
            wal = Wal.Open(Disk, clusterId: 1, Id, cluster.Scenario.Wal, recovered.Position, out WalRecovery recovery);
            if (recovery.TornTail is not null)
                cluster.Counters[Counter.TornBatchesInRecovery]++;
            Boot(wal, recovered, recovery);
        }
        catch (StorageException) when (IsLost)
        {
            // This refusal is right: a server does not start over damage to acknowledged entries.
            cluster.Counters[damage]++;
            return;
        }
        catch (Exception failure) when (IsSimulated(failure))
        {
            Die(random.OneIn(2));
        }
        // Damage to a log that a snapshot has replaced is rightly never noticed.
        Invariant.Hold(!IsLost || hasRestarted);
        IsLost = false;
    }

    /// <summary>
    /// Ends the process. If the machine loses power too, the fate of each unsynced change is decided.
    /// </summary>
    public void Crash(bool losesPower)
    {
        if (!IsUp)
            return;
        cluster.Counters[Counter.Crashes]++;
        if (isWriting)
        {
            Disk.CrashAt(1, (CrashMoment)random.Next(3));
            try
            {
                wal!.Write(writing);
            }
            catch (Exception failure) when (IsSimulated(failure))
            {
            }
        }
        Die(losesPower);
    }

    /// <summary>Makes the process die in one of its next disk operations.</summary>
    public void CrashInOperation()
    {
        if (IsUp)
            Disk.CrashAt(random.Between(1, 6), (CrashMoment)random.Next(3));
    }

    /// <summary>
    /// Stops the machine and damages its log at a place where recovery can tell the damage from a torn write.
    /// </summary>
    public void Damage(bool isMisdirected)
    {
        if (!IsUp || !Disk.CanBeDamaged)
            return;
        Crash(losesPower: true);
        if (isMisdirected)
            Disk.Misdirect();
        else
            Disk.Rot();
        damage = isMisdirected ? Counter.MisdirectedWritesRefused : Counter.RotRefused;
        IsLost = true;
    }

    /// <summary>Asks the process to stop; it comes back later.</summary>
    public void Stop()
    {
        if (!IsUp)
            return;
        bool leads = Node!.Core.IsLeader;
        stopRequest = new StopRequest();
        Node.OnStopRequested(stopRequest);
        if (leads && !stopRequest.Done.IsCompleted)
            cluster.Counters[Counter.LeadershipHandedOver] += Node.Core.IsHandingOver ? 1 : 0;
        ScheduleRun();
    }

    /// <summary>Brings the machine back with an empty disk: all its promises are forgotten.</summary>
    public void Wipe()
    {
        if (!IsUp)
            return;
        IsWiped = true;
        Crash(losesPower: true);
        Disk.Wipe();
        cluster.Invariants.OnWiped(Number);
        Identity = NewIdentity();
    }

    /// <summary>Brings the machine back under another address.</summary>
    public void Move()
    {
        if (!IsUp)
            return;
        moves++;
        Crash(losesPower: false);
        Identity = Identity with { Address = AddressOf(Number, moves) };
    }

    /// <summary>Answers the handshake of a server that dials this one.</summary>
    public HandshakeStatus? Admit(SimulatedServer from)
    {
        try
        {
            return Admission!.Judge(new Handshake(1, from.Id, Id, from.Identity.Directory, from.Identity.Address), Handshake.Version);
        }
        catch (Exception failure) when (IsSimulated(failure))
        {
            DieOf();
            return null;
        }
    }

    public void Pause(long duration)
    {
        if (!IsUp || isPaused)
            return;
        cluster.Counters[Counter.Pauses]++;
        isPaused = true;
        cluster.Events.Schedule(duration, new Event(EventKind.Resume, Number, Incarnation, 0));
    }

    public void Resume()
    {
        isPaused = false;
        ScheduleRun();
    }

    public void Deliver(in Input input)
    {
        if (!IsUp)
        {
            if (input.Kind == EventKind.Deliver)
                SimulatedNetwork.Return(input.Frame);
            return;
        }
        inbox.Enqueue(input);
        ScheduleRun();
    }

    public void OnTick()
    {
        cluster.Events.Schedule(TickPeriod, new Event(EventKind.Tick, Number, Incarnation, 0));
        // A paused process makes up for a few ticks only: NodeLoop.TicksBehindMax.
        if (!isPaused)
            Deliver(new Input(EventKind.Tick));
    }

    /// <summary>Runs the loop: takes the inbox and acts.</summary>
    public void Run()
    {
        isRunScheduled = false;
        if (isPaused)
            return;
        try
        {
            RaftNode node = Node!;
            node.AdvanceTo(cluster.Events.Now / 1000);
            for (int count = inbox.Count; count > 0; count--)
                Take(inbox.Dequeue(), node);
            node.EndBatch();
            if (node.Core.Ready.Messages.Count > 0)
                cluster.Counters[Counter.MessagesHeldForHardState]++;
            if (arrived is { Over.IsCompleted: true } decided)
                OnDecided(decided);
            cluster.OnStepped(this);
            if (mustExit || stopRequest is { Done.IsCompleted: true })
            {
                Exit();
                return;
            }
            if (node.HasMoreToDo || inbox.Count > 0)
                ScheduleRun();
        }
        catch (Exception failure) when (IsSimulated(failure))
        {
            DieOf();
        }
        catch (Exception failure) when (IsWiped && failure is StorageException or AcknowledgedEntriesLostException)
        {
            // This refusal is right: a server that forgot its promises may make no new ones.
            cluster.Counters[Counter.WipedServersRefused]++;
            IsLost = true;
            Die(losesPower: false);
        }
    }

    /// <summary>Lets the log's writer take the published batch.</summary>
    public void BeginWrite()
    {
        if (isWriting || !TryTake())
            return;
        isWriting = true;
        long delay = random.Between(cluster.Scenario.DiskLatencyMin, cluster.Scenario.DiskLatencyMax);
        if (random.OneIn(cluster.Scenario.DiskStallOneIn))
            delay += random.Between(0, cluster.Scenario.DiskStallMax);
        cluster.Events.Schedule(delay, new Event(EventKind.DiskCompletes, Number, Incarnation, 0));
    }

    public void CompleteWrite()
    {
        try
        {
            wal!.Write(writing);
            isWriting = false;
            Deliver(new Input(EventKind.DiskCompletes) { Batch = writing });
            PrepareSegment();
            if (IsUp)
                BeginWrite();
            if (IsUp && !isWriting)
                cluster.Events.Schedule(100_000, new Event(EventKind.Seal, Number, Incarnation, writing.Number));
        }
        catch (Exception failure) when (IsSimulated(failure))
        {
            DieOf();
        }
    }

    /// <summary>Prepares the next segment as SegmentPreparer does: repeatedly while the disk is full.</summary>
    public void PrepareSegment()
    {
        try
        {
            if (wal!.HasSegmentsToDelete)
                cluster.Counters[Counter.LogsCompacted]++;
            if ((!wal.NextSegmentIsReady || wal.HasSegmentsToDelete) && !wal.TryPrepareSegment())
                cluster.Events.Schedule(1_000_000, new Event(EventKind.PrepareSegment, Number, Incarnation, 0));
        }
        catch (Exception failure) when (IsSimulated(failure))
        {
            DieOf();
        }
    }

    /// <summary>Lets the thread that takes a snapshot write its next part.</summary>
    public void StepSnapshot() => Survive(() =>
    {
        if (taking!.Step())
        {
            ScheduleSnapshotStep();
            return;
        }
        cluster.Counters[taking.Status == SnapshotTaskStatus.Done ? Counter.SnapshotsTaken : Counter.SnapshotsGivenUp]++;
        Deliver(new Input(EventKind.SnapshotTaken) { Task = taking });
        taking = null;
    });

    /// <summary>Runs an action that may meet this server's failing disk, or its death.</summary>
    public void Survive(Action action)
    {
        try
        {
            action();
        }
        catch (Exception failure) when (IsSimulated(failure))
        {
            DieOf();
        }
    }

    /// <summary>Hands a complete snapshot to the loop, which decides about it.</summary>
    public void OnSnapshotArrived(ReceivedSnapshot received)
    {
        arrived = received;
        Deliver(new Input(EventKind.SnapshotReceived) { Received = received });
    }

    /// <summary>
    /// Stops the machine and damages its newest snapshot. An older snapshot and the log make up for it, unless the log
    /// begins after that snapshot too, because a start has reset a log that ended before the newest.
    /// </summary>
    public void DamageSnapshot()
    {
        if (!IsUp || Snapshots!.Files.Count == 0)
            return;
        string name = Snapshots.Files[0].Name;
        bool isMadeUpFor = wal!.FirstIndex == 1 || Snapshots.Files.Skip(1).Any(older => wal.FirstIndex <= older.Index + 1);
        Crash(losesPower: true);
        if (!Disk.Exists(name))
            return;
        Disk.Rot(name);
        if (isMadeUpFor)
            return;
        damage = Counter.SnapshotsDamaged;
        IsLost = true;
    }

    private void OnDecided(ReceivedSnapshot decided)
    {
        arrived = null;
        if (!decided.Over.Result)
            return;
        hasRestarted = true;
        cluster.Invariants.OnStateReplaced(Number, decided.Receiver.Position, decided.Configuration.Index);
    }

    private void RunSnapshot(SnapshotTask task)
    {
        taking = task;
        ScheduleSnapshotStep();
    }

    private void ScheduleSnapshotStep() =>
        cluster.Events.Schedule(random.Between(100, 30_000), new Event(EventKind.SnapshotStep, Number, Incarnation, 0));

    private void WakeSegments() => cluster.Events.Schedule(random.Between(1, 1_000), new Event(EventKind.PrepareSegment, Number, Incarnation, 0));

    private bool TryTake()
    {
        try
        {
            return wal!.TryTake(out writing);
        }
        catch (Exception failure) when (IsSimulated(failure))
        {
            DieOf();
            return false;
        }
    }

    /// <summary>Writes a seal if no batch followed batch <paramref name="number"/>.</summary>
    public void Seal(long number)
    {
        if (isWriting || writing.Number != number || !wal!.TryTakeSeal(out writing))
            return;
        isWriting = true;
        cluster.Events.Schedule(cluster.Scenario.DiskLatencyMin, new Event(EventKind.DiskCompletes, Number, Incarnation, 0));
    }

    public void Dispose()
    {
        wal?.Dispose();
        Store?.Dispose();
    }

    public static PeerAddress AddressOf(int number, int moves) => new($"server-{number + 1}", 1 + moves);

    private NodeIdentity NewIdentity() => new(Id, AddressOf(Number, moves), random.NextUInt64(), cluster.ConfigurationAtFirst(Number));

    private void WakeWriter()
    {
        if (!isWriting)
            cluster.Events.Schedule(random.Between(1, 20), new Event(EventKind.DiskBegins, Number, Incarnation, 0));
    }

    private void Boot(Wal opened, RecoveredState recovered, WalRecovery recovery)
    {
        ConfigurationHistory configurations = CoreRecovery.Configurations(Identity.Configuration, recovered.Configuration, recovery);
        Admission = new PeerAdmission(Identity, MetDirectories.Open(Disk), NullLogger.Instance);
        network.Forget();
        RaftCore core = new(
            Id, configurations, cluster.Scenario.Raft, recovery.HardState, CoreRecovery.TermRuns(recovery), random.Fork($"election {Incarnation}"), recovered.Position.Index);
        SnapshotOptions options = new() { EveryEntries = cluster.Scenario.SnapshotEvery, EveryBytes = 0, WaitsForItsSize = false };
        NodeActions actions = new(WakeWriter, WakeSegments, RunSnapshot, () => mustExit = true);
        Node = new RaftNode(core, opened, state!, Snapshots!, recovery.HardState, network, Identity.Address, options, actions,
            random.Between(1, long.MaxValue / 2), cluster.Scenario.RequestTimeout, random.Fork($"snapshots {Incarnation}"), NullLogger.Instance);
        Node.AdvanceTo(cluster.Events.Now / 1000);
        if (recovery.WasReset)
        {
            hasRestarted = true;
            cluster.Invariants.OnStateReplaced(Number, recovered.Position, recovered.Configuration!.Value.Index);
        }
        cluster.Invariants.OnStarted(Number, core);
        cluster.OnApplied(this);
        cluster.Events.Schedule(random.Between(1, TickPeriod), new Event(EventKind.Tick, Number, Incarnation, 0));
        cluster.OnStarted(this);
        PrepareSegment();
    }

    /// <summary>
    /// True if the process died, or if its disk failed or was full at a place where the real process would exit.
    /// </summary>
    private bool IsSimulated(Exception failure) =>
        failure is SimulatedCrashException || (failure is StorageException && (Disk.HasFailed || Disk.IsFull));

    private void DieOf()
    {
        cluster.Counters[Counter.Crashes]++;
        Die(random.OneIn(2));
    }

    private void Exit()
    {
        if (mustExit && !IsRemoved)
            cluster.Counters[Counter.RemovedServersExited]++;
        IsRemoved |= mustExit;
        Die(losesPower: false);
    }

    private void Die(bool losesPower)
    {
        stopRequest = null;
        mustExit = false;
        Admission = null;
        Incarnation++;
        writing = default;
        Node = null;
        state?.Dispose();
        state = null;
        Snapshots = null;
        taking = null;
        arrived = null;
        isWriting = false;
        isRunScheduled = false;
        isPaused = false;
        wal?.Dispose();
        wal = null;
        while (inbox.TryDequeue(out Input input))
        {
            if (input.Kind == EventKind.Deliver)
                SimulatedNetwork.Return(input.Frame);
        }
        if (losesPower)
            Disk.LosePower();
        else
            Disk.LoseProcess();
        cluster.OnDied(this);
    }

    private void ScheduleRun()
    {
        if (isRunScheduled || isPaused || !IsUp)
            return;
        isRunScheduled = true;
        cluster.Events.Schedule(random.Between(1, 30), new Event(EventKind.Run, Number, Incarnation, 0));
    }

    private void Take(in Input input, RaftNode node)
    {
        switch (input.Kind)
        {
            case EventKind.Tick:
                node.OnTick();
                break;
            case EventKind.Deliver:
                node.OnFrames((ulong)input.Frame.From + 1, input.Frame.Span);
                SimulatedNetwork.Return(input.Frame);
                break;
            case EventKind.DiskCompletes:
                if (!node.Core.Log.Matches(input.Batch.Last))
                    cluster.Counters[Counter.CompletionsOfOverwrittenEntries]++;
                node.OnBatchDurable(input.Batch);
                break;
            case EventKind.Request:
                node.OnRequest(input.Request!);
                break;
            case EventKind.Connected:
                node.OnPeerConnected(input.Peer);
                break;
            case EventKind.Lost:
                node.OnPeerLost(input.Peer);
                break;
            case EventKind.Announced:
                node.OnPeerAnnounced(input.Peer, input.Address!);
                break;
            case EventKind.SnapshotTaken:
                node.OnSnapshotTaken(input.Task!);
                break;
            case EventKind.SnapshotReceived:
                node.OnSnapshotReceived(input.Received!);
                break;
            case EventKind.SnapshotSent:
                node.OnSnapshotSent(input.Peer, input.Installed);
                break;
            case EventKind.Refused:
                node.OnPeerRefused(input.Peer, input.Status);
                break;
        }
    }
}
