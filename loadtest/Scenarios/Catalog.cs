using RaftFast.LoadTest.Scenarios.Cluster;

namespace RaftFast.LoadTest.Scenarios;

/// <summary>All scenarios.</summary>
public static class Catalog
{
    private const string Closed = "KeepConstant(copies: 64, during: 10s)";

    /// <summary>Open, at a rate that leaves room: what the disturbance costs shows as latency, not as a lower rate.</summary>
    private const string Open = "Inject(rate: 2000, interval: 1s, during: 12s)";

    /// <summary>What the README promises after the leader's end.</summary>
    private static readonly string[] Recovers = ["gap<1500ms"];

    private static readonly string[] NoFailure = ["failed<=0%"];

    /// <param name="keys">How many different ones, where the scenario doesn't say.</param>
    /// <param name="valueBytes">The same.</param>
    /// <param name="snapshotEvery">Entries between two snapshots.</param>
    public static IReadOnlyList<Scenario> All(int keys, int valueBytes, int snapshotEvery) =>
    [
        Of("put", "PUTs", () => new KeyValueLoad(0, keys, valueBytes), Closed, NoFailure),
        Of("get", "GETs of keys that exist", () => new KeyValueLoad(100, keys, valueBytes), Closed, NoFailure),
        Of("mixed", "90 % GETs, 10 % PUTs", () => new KeyValueLoad(90, keys, valueBytes), Closed, NoFailure),
        Of("large-values", "half GETs, half PUTs of 16 values of 256 KiB", () => new KeyValueLoad(50, 16, 256 * 1024),
            "KeepConstant(copies: 8, during: 10s)", NoFailure),
        Of("hot-key", "half GETs, half PUTs of one key", () => new KeyValueLoad(50, 1, valueBytes), Closed, NoFailure),
        Of("connect-storm", "connect, one PUT, disconnect, every second time with a reset", () => new ConnectLoad(valueBytes),
            "KeepConstant(copies: 32, during: 10s)", NoFailure),
        Of("leader-kill", "half GETs, half PUTs on all of three members; in the middle the leader is killed, later it is back",
            () => new KeyValueLoad(50, keys, valueBytes), Open, Recovers, new KillLeader()),
        Of("follower-stop", "half GETs, half PUTs on two of three members, while the third is stopped and let go on",
            () => new KeyValueLoad(50, keys, valueBytes), Open, NoFailure, new StopFollower()),
        Of("snapshot", "PUTs on all of three members, which take snapshots meanwhile", () => new KeyValueLoad(0, keys, valueBytes),
            "Inject(rate: 4000, interval: 1s, during: 12s)", NoFailure, new TakeSnapshots(snapshotEvery)),
    ];

    private static Scenario Of(
        string name, string description, Func<Load> load, string simulation, string[] thresholds, Disturbance? disturbance = null) => new()
        {
            Name = name,
            Description = description,
            MakeLoad = load,
            Disturbance = disturbance,
            DefaultSimulation = simulation,
            DefaultThresholds = thresholds,
        };
}
