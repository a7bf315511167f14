using System.Diagnostics.CodeAnalysis;
using RaftFast.Consensus;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Simulation.Disk;
using RaftFast.Simulation.Events;
using RaftFast.Simulation.Invariants;
using RaftFast.Simulation.Network;
using RaftFast.Simulation.Reports;
using RaftFast.Storage.Directories;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Log;
using RaftFast.Storage.Snapshots;
using RaftFast.Storage.Store;

namespace RaftFast.Simulation.Servers;

/// <summary>A machine: its disk and identity, which outlive each process, and its process while one runs.</summary>
internal sealed class SimulatedServer : IDisposable
{
    private readonly Cluster cluster;
    private readonly SeededRandom random;
    /// <summary>
    /// Terms that use up the log's reserve, 16 blocks of the disk: each term may write a vote, a no-op, a
    /// configuration, and a seal after each.
    /// </summary>
    private const int TermsOfReserve = 3;

    private readonly Volume right;

    /// <summary>The volume on which the server starts by mistake; null before the first time.</summary>
    private Volume? wrong;

    private Volume mounted;

    /// <summary>Number of starts that the server may still make on the wrong volume.</summary>
    private int wrongStarts;
    private ServerProcess? process;
    private long termWhenFull;
    private bool beganOnFullDisk;

    /// <summary>True once the log was reset for a snapshot.</summary>
    private bool wasReset;
    private int moves;
    private Counter damage;

    public SimulatedServer(Cluster cluster, int number, SeededRandom random)
    {
        this.cluster = cluster;
        this.random = random;
        Number = number;
        right = new Volume(cluster, number, random, wrong: null);
        Mount(right);
    }

    public int Number { get; }

    /// <summary>Disk of the mounted volume.</summary>
    public SimulatedDisk Disk => mounted.Disk;

    public ulong Id => (ulong)Number + 1;

    /// <summary>Identity as the data directory keeps it: it outlives the process, but not the disk.</summary>
    public NodeIdentity Identity
    {
        get => mounted.Identity;
        private set => mounted.Identity = value;
    }

    /// <summary>False while the server is on a volume that is not its own, which was empty at first.</summary>
    public bool IsOnRightVolume => mounted == right;

    /// <summary>Addresses that <c>--cluster</c> names at each start.</summary>
    public IReadOnlyList<PeerAddress> Hints { get; set; } = [];

    /// <summary>Number of the process. The events of an earlier process are ignored.</summary>
    public int Incarnation { get; private set; }

    public RaftNode? Node => process?.Node;

    public bool IsUp => Node is not null;

    public bool IsPaused => process is { Loop.IsPaused: true };

    public PeerAdmission? Admission => process?.Admission;

    public KeyValueStore? Store => process?.Store;

    public Wal? Log => process?.Log;

    public SnapshotStore? SnapshotFiles => process?.SnapshotFiles;

    /// <summary>The place of the snapshot that the process receives.</summary>
    public SnapshotPlace? SnapshotPlace => process?.Snapshots.Place;

    /// <summary>
    /// True if the server may refuse to start, because its disk is damaged, or if it has stopped for good: its promises
    /// were lost, or its state was spoilt.
    /// </summary>
    public bool IsLost { get; private set; }

    public bool IsWiped { get; private set; }

    /// <summary>
    /// True once a bit of the state has changed. The server then may stop, its clients may get wrong values, and its
    /// snapshots may be wrong.
    /// </summary>
    public bool IsSpoilt { get; private set; }

    /// <summary>True if a bit of the state is to change while the server starts.</summary>
    public bool SpoilsAtStart { get; set; }

    /// <summary>
    /// True once a spoilt state has become right again. The server is then taken away, because its snapshots may still
    /// be wrong.
    /// </summary>
    public bool IsTakenAway { get; set; }

    /// <summary>
    /// True if the server has another directory and says in its handshakes that this one holds promises, as an old copy
    /// would.
    /// </summary>
    public bool ClaimsPromises { get; private set; }

    /// <summary>True once the members have told the server of its removal.</summary>
    public bool IsRemoved { get; private set; }

    /// <summary>Number of messages that all processes of this server have sent.</summary>
    public long Sends { get; set; }

    /// <summary>Microseconds between ticks. The server's clock may run fast or slow.</summary>
    public long TickPeriod { get; set; } = 10_000;

    /// <summary>Microseconds of simulated time in which this server's clock measures one second.</summary>
    public long Second => 100 * TickPeriod;

    public static PeerAddress AddressOf(int number, int moves) => new($"server-{number + 1}", 1 + moves);

    /// <summary>True if this server, while not connected to the peer, dials this address.</summary>
    public bool Dials(int peer, PeerAddress address) => IsUp && process!.Network.Dials(peer, address);

    public void OnConnectionLost(int peer) => process?.Network.ConnectionLost(peer);

    public void Start()
    {
        Invariant.Hold(!IsUp);
        process = new ServerProcess(this, cluster, random);
        beganOnFullDisk = Disk.IsFull;
        try
        {
            process.Boot();
        }
        catch (StorageException) when (IsLost)
        {
            // The server rightly refuses to start over damage to entries that it has acknowledged.
            cluster.Counters[damage]++;
            process.Dispose();
            process = null;
            return;
        }
        catch (Exception failure) when (IsSimulated(failure, isStart: true))
        {
            Die(random.OneIn(2));
            return;
        }
        // A server never notices damage to entries that a snapshot has replaced, and passes over damage to entries that
        // a snapshot covers.
        Invariant.Hold(!IsLost || wasReset || process.HasPassedOverDamage);
        IsLost = false;
    }

    public void Deliver(in Input input)
    {
        if (IsUp)
            process!.Loop.Add(input);
        else if (input.Kind == InputKind.Frame)
            SimulatedNetwork.Return(input.Frame);
    }

    public void FillDisk()
    {
        if (!Disk.IsFull)
            termWhenFull = Node?.Core.HardState.Term ?? 0;
        Disk.IsFull = true;
    }

    /// <summary>Handles an event of this server. An event of an earlier process is ignored.</summary>
    public void Handle(in Event happening)
    {
        if (happening.Incarnation != Incarnation)
            return;
        if (happening.Kind == EventKind.Restart)
        {
            if (!IsOnRightVolume && --wrongStarts < 0)
                Mount(right);
            Start();
            return;
        }
        bool isRun = happening.Kind == EventKind.Run;
        try
        {
            process!.Handle(happening);
        }
        catch (Exception failure) when (IsSimulated(failure))
        {
            DieOfDisk();
        }
        catch (Exception failure) when (
            isRun && !IsOnRightVolume && failure is StorageException or AcknowledgedEntriesLostException)
        {
            // The server rightly stops, because the members know its right volume.
            cluster.Counters[Counter.WrongVolumesRefused]++;
            Die(losesPower: false);
        }
        catch (Exception failure) when (
            isRun && IsWiped && failure is StorageException or AcknowledgedEntriesLostException)
        {
            // A server that has forgotten its promises rightly stops.
            cluster.Counters[Counter.WipedServersRefused]++;
            IsLost = true;
            Die(losesPower: false);
        }
        catch (StateDiffersException) when (isRun && IsSpoilt)
        {
            cluster.Counters[Counter.SpoiltServersStopped]++;
            IsLost = true;
            Die(losesPower: false);
        }
    }

    /// <summary>Runs an action during which this server's disk may fail, or its process may die.</summary>
    public void Survive(Action action)
    {
        try
        {
            action();
        }
        catch (Exception failure) when (IsSimulated(failure))
        {
            DieOfDisk();
        }
    }

    /// <summary>Answers the handshake of a server that dials this one.</summary>
    /// <returns>Null if this server died meanwhile.</returns>
    public HandshakeStatus? Admit(SimulatedServer from, ConnectionKind kind)
    {
        HandshakeStatus? status = null;
        bool isReplaced = from.IsOnRightVolume && from.wrong is { } wrong
            && process!.Met!.Knows(from.Id, wrong.Identity.Directory, hasPromised: false);
        Handshake handshake = new(
            1, from.Id, kind == ConnectionKind.Hint ? 0 : Id, from.Identity.Directory, from.Identity.Address)
        {
            Kind = kind,
            HasPromised = from.process!.Acceptance!.HasPromised || from.ClaimsPromises,
        };
        Survive(() => status = Admission!.Judge(handshake, Handshake.Version));
        if (isReplaced && status == HandshakeStatus.Accepted)
            cluster.Counters[Counter.EmptyDirectoriesReplaced]++;
        return status;
    }

    /// <summary>
    /// Records a sender's directory before a promise of its frame may be counted, as InboundConnection does.
    /// </summary>
    /// <returns>False if the frame must not be taken.</returns>
    public bool Keep(SimulatedServer from)
    {
        bool isKept = false;
        Survive(() => isKept = Admission!.Keep(from.Id, from.Identity.Directory));
        return isKept;
    }

    /// <summary>True if this server takes snapshots from the sender.</summary>
    public bool Takes(SimulatedServer from) => process!.Acceptance!.IsBy(from.Id);

    /// <summary>True if no other directory may replace the one that another server has now.</summary>
    public bool Keeps(SimulatedServer other) =>
        IsUp && process!.Met!.Knows(other.Id, other.Identity.Directory, hasPromised: true);

    public void OnSnapshotArrived(ArrivedSnapshot received) => process!.Snapshots.Receive(received);

    /// <summary>Called when a snapshot has replaced this server's log.</summary>
    public void OnStateReplaced(LogPosition snapshot, long configurationIndex)
    {
        wasReset = true;
        cluster.Invariants.OnStateReplaced(Number, snapshot, configurationIndex);
    }

    /// <summary>Called when the node ends its process.</summary>
    public void OnExit(bool isRemoved)
    {
        if (isRemoved && !IsRemoved)
            cluster.Counters[Counter.RemovedServersExited]++;
        IsRemoved |= isRemoved;
        Die(losesPower: false);
    }

    /// <summary>
    /// Ends the process. If the machine loses power too, the fate of each unsynced change is decided.
    /// </summary>
    public void Crash(bool losesPower)
    {
        if (!IsUp)
            return;
        cluster.Counters[Counter.Crashes]++;
        if (process!.Writer.IsWriting)
        {
            Disk.CrashAt(1, (CrashMoment)random.Next(3));
            try
            {
                process.Writer.TryWrite();
            }
            catch (Exception failure) when (IsSimulated(failure))
            {
            }
        }
        Die(losesPower);
    }

    /// <summary>Ends the process. A bit of its state changes at its next start.</summary>
    public void Spoil()
    {
        if (!IsUp || SnapshotFiles!.Files.Count == 0)
            return;
        IsSpoilt = SpoilsAtStart = true;
        Crash(losesPower: false);
    }

    /// <summary>Ends the server for good.</summary>
    public void TakeAway()
    {
        IsLost = true;
        Die(losesPower: false);
    }

    /// <summary>Makes the process die in one of its next disk operations.</summary>
    public void CrashInOperation()
    {
        if (IsUp)
            Disk.CrashAt(random.Between(1, 6), (CrashMoment)random.Next(3));
    }

    /// <summary>Asks the process to stop. The process starts again later.</summary>
    public void Stop()
    {
        if (IsUp)
            process!.Stop();
    }

    public void Pause(long duration)
    {
        if (!IsUp || IsPaused)
            return;
        cluster.Counters[Counter.Pauses]++;
        process!.Loop.Pause(duration);
    }

    public void Resume() => process!.Loop.Resume();

    /// <summary>Marks the server as lost after damage to its disk.</summary>
    /// <param name="refusal">Counter of starts that are refused over this kind of damage.</param>
    public void Lose(Counter refusal)
    {
        damage = refusal;
        IsLost = true;
    }

    /// <summary>Brings the machine back with an empty disk: all its promises are forgotten.</summary>
    /// <param name="claimsPromises">True if the other directory says that it holds promises.</param>
    public void Wipe(bool claimsPromises)
    {
        if (!IsUp)
            return;
        ClaimsPromises = claimsPromises;
        IsWiped = true;
        Crash(losesPower: true);
        Disk.Wipe();
        cluster.Invariants.OnWiped(Number);
        Identity = Identity with { Directory = random.NextUInt64() };
    }

    /// <summary>
    /// Brings the machine back without its volume: on another one, which is empty the first time.
    /// </summary>
    /// <param name="startsMax">Number of starts there; after that the server starts on its right volume.</param>
    /// <param name="claimsPromises">True if the other volume says that it holds promises.</param>
    public void Unmount(int startsMax, bool claimsPromises)
    {
        Crash(losesPower: random.OneIn(2));
        wrong ??= new Volume(cluster, Number, random.Fork("wrong volume"), new DurableLog());
        Mount(wrong);
        wrongStarts = startsMax;
        ClaimsPromises = claimsPromises;
    }

    /// <summary>Brings the machine back with its right volume.</summary>
    public void Remount()
    {
        if (IsOnRightVolume)
            return;
        Crash(losesPower: random.OneIn(2));
        Mount(right);
    }

    /// <summary>Brings the machine back under another address.</summary>
    public void Move()
    {
        moves++;
        Crash(losesPower: false);
        Identity = Identity with { Address = AddressOf(Number, moves) };
    }

    public void Dispose() => process?.Dispose();

    [MemberNotNull(nameof(mounted))]
    private void Mount(Volume volume)
    {
        mounted = volume;
        ClaimsPromises = false;
        Identity = Identity with { Address = AddressOf(Number, moves) };
        cluster.Invariants.OnMounted(Number, volume.Wrong);
    }

    /// <summary>
    /// True if the process died, or if its disk failed at a place where the real process would exit. A full disk may
    /// end a start, and a process whose log has no reserve. The log may have used its reserve up, or found none at the
    /// start: a loss of power can take a prepared segment away.
    /// </summary>
    private bool IsSimulated(Exception failure, bool isStart = false) =>
        failure is SimulatedCrashException
        || (failure is StorageException && (Disk.HasFailed || (Disk.IsFull && (isStart || MayLackReserve))));

    private bool MayLackReserve =>
        beganOnFullDisk || (Node is { } node && node.Core.HardState.Term >= termWhenFull + TermsOfReserve);

    private void DieOfDisk()
    {
        cluster.Counters[Counter.Crashes]++;
        Die(random.OneIn(2));
    }

    private void Die(bool losesPower)
    {
        Incarnation++;
        process!.Dispose();
        process = null;
        Disk.HungWrites.Forget();
        if (losesPower)
            Disk.LosePower();
        else
            Disk.LoseProcess();
        cluster.OnDied(this);
    }
}
