using RaftFast.LoadTest.Scenarios.Cluster;

namespace RaftFast.LoadTest.Scenarios;

/// <summary>
/// A load, and an optional disturbance of the cluster. The runner decides the number of copies, the rate and the
/// duration.
/// </summary>
public sealed class Scenario
{
    private Load? load;

    public required string Name { get; init; }

    public required string Description { get; init; }

    public Load Load => load ??= MakeLoad();

    /// <summary>Creates the load when it is first needed, because a load holds all its requests in memory.</summary>
    public required Func<Load> MakeLoad { private get; init; }

    /// <summary>
    /// Disturbance of the cluster, or null. A scenario with a disturbance needs its own <see cref="LocalCluster"/>.
    /// </summary>
    public Disturbance? Disturbance { get; init; }

    /// <summary>A simulation that fits the scenario, in NBomber's words.</summary>
    public required string DefaultSimulation { get; init; }

    public required IReadOnlyList<string> DefaultThresholds { get; init; }
}
