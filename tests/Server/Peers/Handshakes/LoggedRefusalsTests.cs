using RaftFast.Protocol;
using RaftFast.Server.Peers.Handshakes;

namespace RaftFast.Server.Tests.Peers.Handshakes;

public sealed class LoggedRefusalsTests
{
    private readonly LoggedRefusals told = new();

    [Fact]
    public void Repeated_refusal_of_one_node_is_logged_once()
    {
        Assert.True(told.IsNews(From(1), Handshake.Version, HandshakeStatus.WrongCluster));
        Assert.False(told.IsNews(From(1), Handshake.Version, HandshakeStatus.WrongCluster));
        Assert.True(told.IsNews(From(2), Handshake.Version, HandshakeStatus.WrongCluster));
    }

    [Fact]
    public void Refusal_after_an_acceptance_is_logged_again()
    {
        Assert.True(told.IsNews(From(1), Handshake.Version, HandshakeStatus.Removed));
        Assert.False(told.IsNews(From(1), Handshake.Version, HandshakeStatus.Accepted));
        Assert.True(told.IsNews(From(1), Handshake.Version, HandshakeStatus.Removed));
    }

    [Fact]
    public void Joining_is_no_refusal() =>
        Assert.False(told.IsNews(From(1), Handshake.Version, HandshakeStatus.Joining));

    [Fact]
    public void Refusal_is_logged_again_after_more_refusals_than_are_remembered()
    {
        for (ulong id = 1; id <= 65; id++)
            Assert.True(told.IsNews(From(id), Handshake.Version, HandshakeStatus.WrongCluster));
        Assert.True(told.IsNews(From(1), Handshake.Version, HandshakeStatus.WrongCluster));
    }

    private static Handshake From(ulong id) => new(7, id, 1, 9, new PeerAddress("127.0.0.1", 9021));
}
