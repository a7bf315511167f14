using RaftFast.Simulation.Exhaustive;

namespace RaftFast.Simulation.Tests;

public sealed class ExhaustiveTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void A_cluster_survives_a_crash_at_every_moment(int servers)
    {
        using StringWriter output = new();
        Assert.True(ExhaustiveCampaign.Run(servers, 1, output) == 0, output.ToString());
    }
}
