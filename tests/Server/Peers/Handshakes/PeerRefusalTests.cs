using System.IO.Pipelines;
using System.Net.Sockets;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Inbound;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Tests.Peers.Inbound;

namespace RaftFast.Server.Tests.Peers.Handshakes;

/// <summary>Nodes that are refused permanently, and how they learn of the refusal.</summary>
public sealed class PeerRefusalTests
{
    [Theory]
    [InlineData(HandshakeStatus.Removed)]
    [InlineData(HandshakeStatus.DirectoryReplaced)]
    public async Task Refusal_for_good_is_posted_once_however_often_it_is_repeated(HandshakeStatus status)
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        for (int i = 0; i < 4; i++)
            second.AcceptAndAnswer(status).Dispose();
        PeerRefused refused = first.Reader.Next<PeerRefused>();
        Assert.Equal((2ul, status), (refused.Peer, refused.Status));
        first.Reader.AssertEmpty();
        Assert.Contains(status.ToString(), Assert.Single(first.Log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_refusal_for_good_is_posted()
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        second.AcceptAndAnswer(HandshakeStatus.DirectoryReplaced).Dispose();
        second.AcceptAndAnswer(HandshakeStatus.Removed).Dispose();
        Assert.Equal(HandshakeStatus.DirectoryReplaced, first.Reader.Next<PeerRefused>().Status);
        Assert.Equal(HandshakeStatus.Removed, first.Reader.Next<PeerRefused>().Status);
    }

    [Theory]
    [InlineData(HandshakeStatus.WrongCluster)]
    [InlineData(HandshakeStatus.WrongMember)]
    [InlineData(HandshakeStatus.UnknownMember)]
    public async Task Refusal_that_may_pass_is_told_and_not_posted(HandshakeStatus status)
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        for (int i = 0; i < 4; i++)
            second.AcceptAndAnswer(status).Dispose();
        Assert.Single(first.Log.Lines);
        using Socket accepted = second.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
    }

    [Fact]
    public async Task Node_that_is_joining_is_dialled_again_without_a_line()
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        for (int i = 0; i < 4; i++)
            second.AcceptAndAnswer(HandshakeStatus.Joining).Dispose();
        using Socket accepted = second.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
        Assert.Contains("is reachable", Assert.Single(first.Log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connection_of_a_removed_member_ends_at_once_and_its_next_handshake_is_refused()
    {
        await using Node node = new();
        using RawDialer second = RawDialer.Accepted(node, from: 2);
        using RawDialer third = RawDialer.Accepted(node, from: 3);
        Assert.Equal(2u, node.Reader.Next<PeerAnnounced>().Peer);
        Assert.Equal(3u, node.Reader.Next<PeerAnnounced>().Peer);
        node.Acceptor.Update(Dialling.Cluster([3], [1], removed: [2]));
        second.AssertClosed();
        using RawDialer again = new(node.Port);
        Assert.Equal(HandshakeStatus.Removed, again.ShakeHands(TestHandshakes.From(2)));
        again.AssertClosed();
        third.Send(Frames.Bytes(Frames.Heartbeat(1)));
        Assert.Equal(Frames.Bytes(Frames.Heartbeat(1)), node.Reader.NextFrames(Frame.HeaderSize, from: 3));
        node.Reader.AssertEmpty();
    }

    [Fact]
    public async Task Connection_of_a_removed_member_ends_while_the_loop_keeps_its_batches()
    {
        await using Node node = new();
        using RawDialer second = RawDialer.Accepted(node, from: 2);
        List<PeerBatch> held = [];
        for (int i = 0; i < 2; i++)
        {
            second.Send(Frames.Bytes(Frames.Heartbeat(i)));
            held.Add(node.Reader.Next<PeerBatch>());
        }
        second.Send(Frames.Bytes(Frames.Heartbeat(2)));
        node.Acceptor.Update(Dialling.Cluster([], [], removed: [2]));
        second.AssertClosed();
        foreach (PeerBatch batch in held)
            batch.Release();
        node.Reader.AssertEmpty();
    }

    [Fact]
    public async Task Removed_member_loses_its_connection_and_is_told_when_it_dials_again()
    {
        await using Node second = new(id: 2);
        await using Dialling first = new(second.Port);
        first.Reader.Next<PeerConnected>();
        second.Acceptor.Update(new ClusterConfiguration(Node.ClusterId, [], [1]));
        first.Reader.Next<PeerLost>();
        Assert.Equal(HandshakeStatus.Removed, first.Reader.Next<PeerRefused>().Status);
    }

    [Fact]
    public async Task Configuring_a_network_removes_from_its_acceptor()
    {
        await using Dialling first = new();
        await using Node second = new(id: 2);
        first.Configure(Dialling.Cluster([], [], removed: [7]));
        using MemoryStream output = new();
        PieceStream input = new(RawDialer.Bytes(TestHandshakes.From(7)), _ => Handshake.Size);
        await first.Acceptor.ServeAsync(
            PipeReader.Create(input), output, null, () => { }, TestContext.Current.CancellationToken);
        Assert.Equal(DecodeStatus.Complete, Handshake.TryReadAnswer(output.ToArray(), out HandshakeStatus status));
        Assert.Equal(HandshakeStatus.Removed, status);
    }

    [Fact]
    public async Task Member_that_comes_back_with_another_directory_is_refused()
    {
        await using Node node = new();
        RawDialer.Accepted(node, from: 2).Dispose();
        using RawDialer emptied = new(node.Port);
        Assert.Equal(
            HandshakeStatus.DirectoryReplaced, emptied.ShakeHands(TestHandshakes.From(2) with { Directory = 0xBAD }));
        emptied.AssertClosed();
        using RawDialer intact = RawDialer.Accepted(node, from: 2);
    }
}
