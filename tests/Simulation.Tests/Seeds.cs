using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Scenarios;

namespace RaftFast.Simulation.Tests;

/// <summary>Runs seeds. The tests of seeds are several classes, because xunit runs classes in parallel.</summary>
internal static class Seeds
{
    public static void AssertPass(int servers, ulong first, ulong last)
    {
        for (ulong seed = first; seed <= last; seed++)
            Assert.Null(Failure(Scenario.Draw(seed, servers), new Counters()));
    }

    /// <summary>Runs a scenario, and returns its seed and failure, or null.</summary>
    public static string? Failure(Scenario scenario, Counters counters)
    {
        string? failure = Campaign.RunSeed(scenario, counters, new RunTrace(null), null, out _);
        return failure is null ? null : $"seed {scenario.Seed}: {failure}";
    }
}
