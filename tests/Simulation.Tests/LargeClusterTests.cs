namespace RaftFast.Simulation.Tests;

[Trait("Suite", "Long")]
public sealed class LargeClusterTests
{
    [Theory]
    [InlineData(5)]
    [InlineData(7)]
    public void Fixed_seeds_pass(int servers) => Seeds.AssertPass(servers, first: 1, last: 150);
}
