namespace RaftFast.Simulation.Tests;

[Trait("Suite", "Long")]
public sealed class FixedSeedTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    public void Fixed_seeds_pass(int servers)
    {
        for (ulong seed = 1; seed <= 150; seed++)
            Assert.Null(Seed.Failure(Scenario.Draw(seed, servers), new Counters()));
    }
}
