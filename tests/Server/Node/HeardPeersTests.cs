using RaftFast.Server.Node;

namespace RaftFast.Server.Tests.Node;

public sealed class HeardPeersTests
{
    [Fact]
    public void Peer_is_heard_from_its_first_frame_to_the_end_of_its_connection()
    {
        HeardPeers heard = new();
        Assert.False(heard.Has(2));
        heard.Add(2);
        heard.Add(3);
        heard.Add(2);
        Assert.True(heard.Has(2) && heard.Has(3));
        heard.Remove(2);
        Assert.False(heard.Has(2));
        Assert.True(heard.Has(3));
        heard.Remove(2);
    }

    [Fact]
    public void Frames_of_a_peer_that_is_heard_allocate_nothing()
    {
        HeardPeers heard = new();
        heard.Add(2);
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (int i = 0; i < 1000; i++)
                heard.Add(2);
        }));
    }
}
