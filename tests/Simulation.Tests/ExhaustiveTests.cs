using RaftFast.Simulation.Exhaustive;

namespace RaftFast.Simulation.Tests;

[Trait("Suite", "Long")]
public sealed class ExhaustiveTests
{
    [Theory]
    [InlineData(1, 1)]
    [InlineData(3, 1)]
    [InlineData(3, 3)] // a log of small segments
    public void A_cluster_survives_a_crash_at_every_moment(int servers, ulong seed)
    {
        using StringWriter output = new();
        Assert.True(ExhaustiveCampaign.Run(servers, seed, output) == 0, output.ToString());
    }
}
