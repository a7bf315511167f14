using RaftFast.LoadTest.Scenarios.Cluster;

namespace RaftFast.LoadTest.Scenarios;

public static class Catalog
{
    private const string Closed = "KeepConstant(copies: 64, during: 10s)";

    /// <summary>
    /// An open loop at a moderate rate, so that the cost of a disturbance shows as latency and not as a lower rate.
    /// </summary>
    private const string Open = "Inject(rate: 2000, interval: 1s, during: 12s)";

    /// <summary>Maximum time without a success after a leader's failure, as the README promises.</summary>
    private static readonly string[] Recovers = ["gap<1500ms"];

    private static readonly string[] NoFailure = ["failed<=0%"];

    /// <param name="keys">Number of keys, for scenarios without a number of their own.</param>
    /// <param name="valueBytes">Bytes of each value, for scenarios without a size of their own.</param>
    /// <param name="snapshotEvery">Entries between two snapshots.</param>
    public static IReadOnlyList<Scenario> All(int keys, int valueBytes, int snapshotEvery) =>
    [
        Of("put", "PUTs", () => new KeyValueLoad(0, keys, valueBytes), Closed, NoFailure),
        Of("get", "GETs of keys that exist", () => new KeyValueLoad(100, keys, valueBytes), Closed, NoFailure),
        Of("mixed", "90 % GETs, 10 % PUTs", () => new KeyValueLoad(90, keys, valueBytes), Closed, NoFailure),
        Of("large-values", "half GETs, half PUTs of 16 values of 256 KiB",
            () => new KeyValueLoad(50, 16, 256 * 1024), "KeepConstant(copies: 8, during: 10s)", NoFailure),
        Of("hot-key", "half GETs, half PUTs of one key", () => new KeyValueLoad(50, 1, valueBytes), Closed, NoFailure),
        Of("connect-storm", "connect, one PUT, disconnect, every second time with a reset",
            () => new ConnectLoad(valueBytes), "KeepConstant(copies: 32, during: 10s)", NoFailure),
        Of("leader-kill",
            "half GETs, half PUTs on three members; halfway the leader is killed, later it is started again",
            () => new KeyValueLoad(50, keys, valueBytes), Open, Recovers, new KillLeader()),
        Of("follower-stop", "half GETs, half PUTs on two of three members, while the third is stopped and continued",
            () => new KeyValueLoad(50, keys, valueBytes), Open, NoFailure, new StopFollower()),
        Of("snapshot", "PUTs on three members, which take snapshots meanwhile",
            () => new KeyValueLoad(0, keys, valueBytes),
            "Inject(rate: 4000, interval: 1s, during: 12s)", NoFailure, new TakeSnapshots(snapshotEvery)),
    ];

    private static Scenario Of(
        string name, string description, Func<Load> load, string simulation, string[] thresholds,
        Disturbance? disturbance = null) => new()
        {
            Name = name,
            Description = description,
            MakeLoad = load,
            Disturbance = disturbance,
            DefaultSimulation = simulation,
            DefaultThresholds = thresholds,
        };
}
