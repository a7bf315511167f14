using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;

namespace RaftFast.Server.Tests.Peers.Links;

public sealed class HintedAddressTests
{
    private readonly PeerOptions options = new();

    /// <summary>An idle node would otherwise wake fifty times a second for each address.</summary>
    [Fact]
    public void Address_that_nobody_needs_is_looked_at_less_and_less_often()
    {
        HintedAddress hint = new(new PeerAddress("127.0.0.1", 1), options);
        TimeSpan pause = options.BackoffMin;
        for (int i = 0; i < 10; i++)
        {
            TimeSpan next = hint.PauseAfter(HintOutcome.NotNeeded);
            Assert.Equal(2 * pause < options.BackoffMax ? 2 * pause : options.BackoffMax, next);
            pause = next;
        }
        Assert.Equal(options.BackoffMax, pause);
    }
}
