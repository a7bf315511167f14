namespace RaftFast.Simulation.Tests;

[Trait("Suite", "Long")]
public sealed class SmallClusterTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Fixed_seeds_pass(int servers) => Seeds.AssertPass(servers, first: 1, last: 150);
}
