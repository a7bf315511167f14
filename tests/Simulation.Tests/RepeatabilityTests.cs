using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Scenarios;

namespace RaftFast.Simulation.Tests;

public sealed class RepeatabilityTests
{
    [Fact]
    public void A_seed_run_twice_gives_the_same_history()
    {
        for (ulong seed = 1; seed <= 20; seed++)
            Assert.Equal(HashOf(seed), HashOf(seed));
        Assert.NotEqual(HashOf(1), HashOf(2));
    }

    private static ulong HashOf(ulong seed)
    {
        RunTrace trace = new(null);
        Assert.Null(Campaign.RunSeed(Scenario.Draw(seed, null), new Counters(), trace, null, out _));
        return trace.Hash;
    }
}
