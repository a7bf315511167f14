namespace RaftFast.Simulation.Tests;

/// <summary>Runs one seed. The classes of tests are several, so that xunit runs their seeds side by side.</summary>
internal static class Seed
{
    /// <summary>Returns the seed with the message of its failure, or null if it passes.</summary>
    public static string? Failure(Scenario scenario, Counters counters) =>
        Campaign.RunSeed(scenario, counters, new Trace(null), null, out _) is { } failure
            ? $"seed {scenario.Seed}: {failure}"
            : null;
}
