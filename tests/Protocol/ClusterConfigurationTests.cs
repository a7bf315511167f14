namespace RaftFast.Protocol.Tests;

public sealed class ClusterConfigurationTests
{
    private static readonly PeerAddress First = new("127.0.0.1", 9021);

    private static readonly PeerAddress Second = new("127.0.0.1", 9022);

    [Fact]
    public void Nth_address_of_a_bootstrap_is_member_Ns()
    {
        ClusterConfiguration configuration = ClusterConfiguration.Bootstrap([First, Second]);
        Assert.Equal([new Member(1, First), new Member(2, Second)], configuration.Members);
        Assert.Equal(new Member(2, Second), configuration.Find(2));
        Assert.Null(configuration.Find(0));
        Assert.Null(configuration.Find(3));
    }

    /// <summary>The cluster id is the first 8 bytes, little-endian, of SHA-256 of the URLs, joined by commas.</summary>
    [Fact]
    public void Cluster_id_is_the_lists() =>
        Assert.Equal(0x2009c054a7470a80u, ClusterConfiguration.Bootstrap([First, Second]).ClusterId);

    [Fact]
    public void Another_list_or_order_is_another_cluster()
    {
        ulong id = ClusterConfiguration.Bootstrap([First, Second]).ClusterId;
        Assert.NotEqual(id, ClusterConfiguration.Bootstrap([Second, First]).ClusterId);
        Assert.NotEqual(id, ClusterConfiguration.Bootstrap([First]).ClusterId);
    }

    [Fact]
    public void Ids_ascend_and_none_is_0()
    {
        Assert.Throws<InvariantException>(() => new ClusterConfiguration(1, [new Member(0, First)]));
        Assert.Throws<InvariantException>(
            () => new ClusterConfiguration(1, [new Member(2, First), new Member(1, Second)]));
        Assert.Throws<InvariantException>(
            () => new ClusterConfiguration(1, [new Member(2, First), new Member(2, Second)]));
    }
}
