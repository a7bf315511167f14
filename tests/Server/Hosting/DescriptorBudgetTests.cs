using RaftFast.Server.Hosting;
using RaftFast.Server.Lifetime;

namespace RaftFast.Server.Tests.Hosting;

public sealed class DescriptorBudgetTests
{
    [Theory]
    [InlineData(256, 96, 64)]
    [InlineData(1024, 576, 256)]
    [InlineData(1_048_576, 1_048_128, 256)]
    public void Clients_get_what_storage_and_peers_leave(int limit, int clients, int peers) =>
        Assert.Equal(new DescriptorBudget(clients, peers), DescriptorBudget.Of(limit));

    [Fact]
    public void A_limit_that_leaves_none_for_clients_is_refused() =>
        Assert.Throws<OperatingException>(() => DescriptorBudget.Of(120));
}
