using RaftFast.Simulation.Reports;
using RaftFast.Simulation.Scenarios;

namespace RaftFast.Simulation.Tests;

[Trait("Suite", "Long")]
public sealed class FaultCoverageTests
{
    [Fact]
    public void Every_fault_has_an_effect_somewhere_in_the_fixed_seeds()
    {
        Counters counters = new();
        for (ulong seed = 1; seed <= 900; seed++)
            Assert.Null(Seeds.Failure(Scenario.Draw(seed, null), counters));
        Assert.Empty(counters.Missing());
    }
}
