using RaftFast.LoadTest.Scenarios.Cluster;

namespace RaftFast.LoadTest.Scenarios;

/// <summary>
/// A load, and what happens to the servers meanwhile. Whoever hosts it decides how many copies run, how often and for how long.
/// </summary>
public sealed class Scenario
{
    private Load? load;

    public required string Name { get; init; }

    public required string Description { get; init; }

    public Load Load => load ??= MakeLoad();

    /// <summary>Called when the load is first needed: it holds every request that it will send.</summary>
    public required Func<Load> MakeLoad { private get; init; }

    /// <summary>If there is one, the scenario needs a <see cref="LocalCluster"/> of its own for it.</summary>
    public Disturbance? Disturbance { get; init; }

    /// <summary>Which simulations fit it, in NBomber's words.</summary>
    public required string DefaultSimulation { get; init; }

    public required IReadOnlyList<string> DefaultThresholds { get; init; }
}
