using RaftFast.Server.Node;

namespace RaftFast.Server.Tests.Node;

public sealed class RecentDigestsTests
{
    private readonly RecentDigests digests = new(countMax: 4);

    [Fact]
    public void Latest_digests_are_known_and_older_ones_are_not()
    {
        digests.Begin(10, 1000);
        for (int i = 11; i <= 20; i++)
            digests.Add(i, (UInt128)(100 * i));
        Assert.Equal(17, digests.Oldest);
        for (int i = 17; i <= 20; i++)
        {
            Assert.True(digests.TryGet(i, out UInt128 digest));
            Assert.Equal((UInt128)(100 * i), digest);
        }
        Assert.False(digests.TryGet(16, out _));
        Assert.False(digests.TryGet(21, out _));
    }

    [Fact]
    public void Digests_before_the_first_state_are_not_known()
    {
        digests.Begin(10, 1000);
        digests.Add(11, 1100);
        Assert.Equal(10, digests.Oldest);
        Assert.True(digests.TryGet(10, out _));
        Assert.False(digests.TryGet(9, out _));
        // An installed snapshot.
        digests.Begin(12, 1200);
        Assert.Equal(12, digests.Oldest);
        Assert.False(digests.TryGet(11, out _));
    }
}
