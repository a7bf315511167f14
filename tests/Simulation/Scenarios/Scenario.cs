using RaftFast.Consensus;
using RaftFast.Simulation.Faults;
using RaftFast.Simulation.Network;
using RaftFast.Storage.Log;

namespace RaftFast.Simulation.Scenarios;

/// <summary>
/// Values that one seed draws: its own mix of faults, sizes and options (swarm testing). Times are in microseconds
/// unless a comment says otherwise.
/// </summary>
internal sealed record Scenario
{
    /// <summary>Maximum bytes of an append. The smallest log drawn below has room for an append.</summary>
    private const int AppendBytesMax = 24 * 1024;

    public required ulong Seed { get; init; }

    public required int Servers { get; init; }

    /// <summary>
    /// Number of servers that may join later. If this is 0, the operator asks for no membership changes.
    /// </summary>
    public required int Spares { get; init; }

    /// <summary>Maximum time between two membership changes.</summary>
    public required long ChurnIntervalMax { get; init; }

    public bool HasChurn => Spares > 0;

    public required int Clients { get; init; }

    public required int Keys { get; init; }

    /// <summary>Number of further clients, which send transactions on keys of their own.</summary>
    public required int TransactionClients { get; init; }

    public required int PutPercent { get; init; }

    /// <summary>
    /// Per cent of requests with conditions, times to live, idempotency keys, waits or staleness, or to the counter.
    /// </summary>
    public required int ConditionalPercent { get; init; }

    /// <summary>Milliseconds of log time for which the outcome of a request with an idempotency key is kept.</summary>
    public required long IdempotencyWindow { get; init; }

    public required long ThinkMax { get; init; }

    public required int ValueBytesMax { get; init; }

    /// <summary>Duration of faults and load before everything is healed.</summary>
    public required long Duration { get; init; }

    public required IReadOnlyList<Fault> Faults { get; init; }

    public required UnmountKind Unmount { get; init; }

    /// <summary>True if a follower now and then gets heartbeats only, until the leader has compacted its log.</summary>
    public required bool Starves { get; init; }

    /// <summary>True if all servers move to other addresses at once, perhaps more than once.</summary>
    public required bool MovesTogether { get; init; }

    public required long FaultIntervalMax { get; init; }

    public required long FaultDurationMax { get; init; }

    public required NetworkFaults Network { get; init; }

    public required long DiskLatencyMin { get; init; }

    public required long DiskLatencyMax { get; init; }

    public required int DiskStallOneIn { get; init; }

    public required long DiskStallMax { get; init; }

    /// <summary>True if the log is written through the page cache.</summary>
    public required bool IsBuffered { get; init; }

    /// <summary>Maximum per cent by which a clock runs fast or slow.</summary>
    public required int ClockSkewPercent { get; init; }

    public required RaftOptions Raft { get; init; }

    public required WalOptions Wal { get; init; }

    /// <summary>True if runs of the loop may hold new writes for the next run.</summary>
    public required bool HoldsWrites { get; init; }

    /// <summary>Entries that make a snapshot due; 0 for no snapshots.</summary>
    public required long SnapshotEvery { get; init; }

    /// <summary>Request timeout in milliseconds.</summary>
    public required long RequestTimeout { get; init; }

    public static Scenario Draw(ulong seed, int? servers)
    {
        SeededRandom random = new SeededRandom(seed).Fork("scenario");
        List<Fault> faults = [];
        foreach (Fault fault in Enum.GetValues<Fault>())
        {
            // Faults added later draw from a stream of their own, so that older seeds keep their scenarios.
            bool isDrawn = fault >= Fault.Stop ? random.Fork($"{fault}").OneIn(3)
                : fault == Fault.Split ? random.Fork("split").OneIn(3)
                : random.OneIn(2);
            if (isDrawn)
                faults.Add(fault);
        }
        bool isSlowDisk = random.OneIn(4);
        SeededRandom churn = random.Fork("churn");
        SeededRandom conditional = random.Fork("conditional requests");
        int spares = churn.OneIn(2) ? (int)churn.Between(1, 4) : 0;
        int drawn = (int)Pick(random, 1, 3, 3, 3, 5, 5, 7);
        int count = servers ?? drawn;
        SeededRandom starvation = random.Fork("starvation");
        bool starves = count >= 3 && starvation.OneIn(8);
        Scenario scenario = new()
        {
            Seed = seed,
            Servers = count,
            Spares = spares,
            ChurnIntervalMax = Pick(churn, 300_000, 1_000_000, 3_000_000),
            Clients = (int)random.Between(1, 8),
            Keys = (int)random.Between(1, 5),
            TransactionClients = (int)Pick(random.Fork("transactions"), 0, 0, 0, 2, 4),
            PutPercent = (int)Pick(random, 20, 50, 80),
            ConditionalPercent = (int)Pick(conditional, 0, 0, 40, 80),
            IdempotencyWindow = Pick(conditional, 900_000, 900_000, 900_000, 1_000),
            ThinkMax = Pick(random, 2_000, 20_000, 200_000),
            ValueBytesMax = (int)Pick(random, 8, 8, 100, 5_000),
            Duration = random.Between(2_000_000, 10_000_000),
            Faults = faults,
            MovesTogether = random.Fork("moves together").OneIn(5),
            Unmount = DrawUnmount(random.Fork("unmount"), count, spares),
            Starves = false,
            HoldsWrites = random.Fork("held writes").OneIn(2),
            FaultIntervalMax = Pick(random, 200_000, 1_000_000, 3_000_000),
            FaultDurationMax = Pick(random, 100_000, 1_000_000, 3_000_000),
            Network = new NetworkFaults
            {
                LatencyMin = 30,
                LatencyMax = Pick(random, 200, 2_000, 20_000),
                LoseOneIn = (int)Pick(random, 0, 0, 10, 100),
                DuplicateOneIn = (int)Pick(random, 0, 0, 10, 100),
                ReorderOneIn = (int)Pick(random, 0, 0, 2, 10),
                ReplayOneIn = (int)Pick(random, 0, 0, 50),
                DelayOneIn = (int)Pick(random, 0, 0, 20, 200),
                LearnDelayMax = Pick(random.Fork("late news"), 0, 0, 0, 1_000, 50_000),
            },
            DiskLatencyMin = 80,
            DiskLatencyMax = isSlowDisk ? 50_000 : 400,
            DiskStallOneIn = (int)Pick(random, 0, 0, 100, 1_000),
            DiskStallMax = 2_000_000,
            IsBuffered = random.Fork("page cache").OneIn(2),
            ClockSkewPercent = (int)Pick(random, 0, 2, 20),
            Raft = new RaftOptions
            {
                ElectionTicks = (int)Pick(random, 40, 40, 20, 100),
                HeartbeatTicks = (int)Pick(random, 5, 5, 2),
                AppendBytesMax = (int)Pick(random, AppendBytesMax, 300, 4_000),
                InflightAppendsMax = (int)Pick(random, 256, 1, 4),
                FreshAppendsMax = (int)Pick(random.Fork("fresh appends"), 1, 2, 8),
                InflightBytesMax = (int)Pick(random, 4 * 1024 * 1024, 500),
                UncommittedBytesMax = Pick(random, 64 * 1024 * 1024, 400, 4_000),
            },
            Wal = new WalOptions
            {
                RecordBytesMax = 8 * 1024,
                ReserveBytes = 64 * 1024,
                SegmentBytes = Pick(random, 128 * 1024, 256 * 1024, 1024 * 1024),
                SpareSegments = (int)Pick(random.Fork("spare segments"), 0, 1, 4),
                BufferBytes = (int)Pick(random, 12 * 1024, 32 * 1024),
                CacheBuffers = (int)Pick(random, 1, 4),
                LagBuffers = (int)Pick(random.Fork("lag slabs"), 4, 4, 64),
            },
            SnapshotEvery = Pick(random.Fork("snapshots"), 0, 3, 15, 60),
            RequestTimeout = Pick(random, 5_000, 500, 1_500),
        };
        return starves ? scenario.WithStarvation(starvation) : scenario;
    }

    /// <summary>
    /// Lets a follower starve. Writes are frequent and logs short, so that the leader soon compacts what the follower
    /// needs. In half of the seeds there are no other faults, which could end the starvation.
    /// </summary>
    private Scenario WithStarvation(SeededRandom random) => this with
    {
        Starves = true,
        Faults = random.OneIn(2) ? [] : Faults,
        Clients = Math.Max(Clients, 3),
        ThinkMax = Math.Min(ThinkMax, 20_000),
        SnapshotEvery = Pick(random, 3, 15),
        Wal = Wal with { SegmentBytes = 128 * 1024 },
    };

    /// <summary>Draws a run without faults that is short enough to be repeated for each crash point.</summary>
    public static Scenario Short(ulong seed, int servers) => Draw(seed, servers) with
    {
        Spares = 0,
        Clients = 2,
        Keys = 2,
        TransactionClients = 0,
        PutPercent = 70,
        ConditionalPercent = 0,
        ThinkMax = 100_000,
        ValueBytesMax = 3_000,
        Duration = 1_500_000,
        Faults = [],
        Unmount = UnmountKind.None,
        MovesTogether = false,
        Starves = false,
        HoldsWrites = false,
        FaultDurationMax = 200_000,
        Network = new NetworkFaults(),
        DiskLatencyMax = 400,
        DiskStallOneIn = 0,
        ClockSkewPercent = 2,
        Raft = new RaftOptions { AppendBytesMax = AppendBytesMax },
        RequestTimeout = 1_500,
    };

    public override string ToString() =>
        $"{Servers} servers, {Spares} spares, snapshot every {SnapshotEvery}, {Clients} clients, {Keys} keys, " +
        $"{TransactionClients} clients with transactions, " +
        $"{ConditionalPercent} % conditional, outcomes kept {IdempotencyWindow} ms, " +
        $"{Duration / 1000} ms, faults [{string.Join(' ', Faults)}], unmount {Unmount}, " +
        $"{(MovesTogether ? "all move, " : "")}{(Starves ? "followers starve, " : "")}" +
        $"{(HoldsWrites ? "writes are held, " : "")}lose 1/{Network.LoseOneIn}, " +
        $"duplicate 1/{Network.DuplicateOneIn}, reorder 1/{Network.ReorderOneIn}, replay 1/{Network.ReplayOneIn}, " +
        $"delay 1/{Network.DelayOneIn}, learn ≤ {Network.LearnDelayMax} µs, latency ≤ {Network.LatencyMax} µs, " +
        $"disk ≤ {DiskLatencyMax} µs{(IsBuffered ? " buffered" : "")}, skew {ClockSkewPercent} %, " +
        $"election {Raft.ElectionTicks}, heartbeat {Raft.HeartbeatTicks}, append {Raft.AppendBytesMax} B, " +
        $"inflight {Raft.InflightAppendsMax} ({Raft.FreshAppendsMax} a tick) / {Raft.InflightBytesMax} B, " +
        $"uncommitted {Raft.UncommittedBytesMax} B, timeout {RequestTimeout} ms";

    /// <summary>
    /// A server that begins on its right volume may come back on an empty one only once every other server has met it.
    /// Servers that wait to join may never meet it, so RightFirst needs a cluster without them.
    /// </summary>
    private static UnmountKind DrawUnmount(SeededRandom random, int servers, int spares)
    {
        if (servers < 3 || !random.OneIn(4))
            return UnmountKind.None;
        return spares == 0 && random.OneIn(2) ? UnmountKind.RightFirst : UnmountKind.EmptyFirst;
    }

    private static long Pick(SeededRandom random, params ReadOnlySpan<long> choices) =>
        choices[random.Next(choices.Length)];
}
