using System.Buffers.Binary;
using System.IO.Pipelines;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Tests.Peers.Inbound;

namespace RaftFast.Server.Tests.Peers.Handshakes;

public sealed class PeerHandshakeTests
{
    [Fact]
    public async Task Handshake_of_a_member_is_accepted_without_a_word()
    {
        await using Node node = new();
        using RawDialer dialer = new(node.Port);
        Assert.Equal(HandshakeStatus.Accepted, dialer.ShakeHands(TestHandshakes.From(2)));
        PeerAnnounced announced = node.Reader.Next<PeerAnnounced>();
        Assert.Equal(2u, announced.Peer);
        Assert.Equal(TestHandshakes.AddressOf(2), announced.Address);
        Assert.Empty(node.Log.Lines);
    }

    [Fact]
    public async Task Handshake_that_names_no_member_announces_its_sender_and_ends()
    {
        await using Node node = new();
        using RawDialer dialer = new(node.Port);
        Handshake hint = TestHandshakes.From(2, to: 0) with { Kind = ConnectionKind.Hint };
        Assert.Equal(HandshakeStatus.Accepted, dialer.ShakeHands(hint));
        Assert.Equal(TestHandshakes.AddressOf(2), node.Reader.Next<PeerAnnounced>().Address);
        dialer.AssertClosed();
        Assert.Empty(node.Log.Lines);
    }

    [Fact]
    public async Task Removed_member_is_not_talked_to_though_it_names_no_member()
    {
        await using Node node = new();
        node.Acceptor.Update(Dialling.Cluster([], [], removed: [2]));
        using RawDialer dialer = new(node.Port);
        Handshake hint = TestHandshakes.From(2, to: 0) with { Kind = ConnectionKind.Hint };
        Assert.Equal(HandshakeStatus.Removed, dialer.ShakeHands(hint));
        node.Reader.AssertEmpty();
    }

    [Theory]
    [InlineData(HandshakeStatus.WrongCluster, 0xBADu, 2u, 1u)]
    [InlineData(HandshakeStatus.WrongMember, Node.ClusterId, 2u, 3u)]
    [InlineData(HandshakeStatus.UnknownMember, Node.ClusterId, 0u, 1u)]
    [InlineData(HandshakeStatus.UnknownMember, Node.ClusterId, 1u, 1u)]
    public async Task Handshake_of_anyone_else_is_refused_with_one_line(
        HandshakeStatus status, ulong cluster, ulong from, ulong to)
    {
        await using Node node = new();
        using RawDialer dialer = new(node.Port);
        Assert.Equal(status, dialer.ShakeHands(TestHandshakes.From(from, to, cluster)));
        dialer.AssertClosed();
        AssertOneLine(node, dialer, status.ToString());
        node.Reader.AssertEmpty();
    }

    [Fact]
    public async Task Handshake_of_another_version_is_refused_whatever_follows_the_version()
    {
        await using Node node = new();
        using RawDialer dialer = new(node.Port);
        byte[] bytes = RawDialer.Bytes(TestHandshakes.From(2));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), Handshake.Version + 1);
        dialer.Send(bytes);
        Assert.Equal(HandshakeStatus.UnsupportedVersion, dialer.ReadAnswer());
        dialer.AssertClosed();
        AssertOneLine(node, dialer, nameof(HandshakeStatus.UnsupportedVersion));
    }

    [Fact]
    public async Task Handshake_may_come_in_two_pieces_cut_anywhere()
    {
        byte[] bytes = RawDialer.Bytes(TestHandshakes.From(2));
        await using Node node = new();
        for (int cut = 1; cut < bytes.Length; cut++)
        {
            PieceStream input = new(bytes, position => position < cut ? cut : bytes.Length);
            using MemoryStream output = new();
            await node.Acceptor.ServeAsync(
                PipeReader.Create(input), output, null, () => { }, TestContext.Current.CancellationToken);
            Assert.Equal(DecodeStatus.Complete, Handshake.TryReadAnswer(output.ToArray(), out HandshakeStatus status));
            Assert.Equal(HandshakeStatus.Accepted, status);
        }
        Assert.Empty(node.Log.Lines);
    }

    [Fact]
    public async Task Handshake_may_come_one_byte_at_a_time_over_a_socket()
    {
        await using Node node = new();
        using RawDialer dialer = new(node.Port);
        foreach (byte b in RawDialer.Bytes(TestHandshakes.From(2)))
            dialer.Send([b]);
        Assert.Equal(HandshakeStatus.Accepted, dialer.ReadAnswer());
    }

    [Fact]
    public async Task Flipped_bit_in_a_handshake_is_never_accepted()
    {
        byte[] bytes = RawDialer.Bytes(TestHandshakes.From(2));
        await using Node node = new();
        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            byte[] damaged = [.. bytes];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            using MemoryStream output = new();
            await node.Acceptor.ServeAsync(
                PipeReader.Create(new PieceStream(damaged, _ => damaged.Length)), output, null, () => { },
                TestContext.Current.CancellationToken);
            if (output.Length > 0)
            {
                Assert.Equal(
                    DecodeStatus.Complete, Handshake.TryReadAnswer(output.ToArray(), out HandshakeStatus status));
                Assert.Equal(HandshakeStatus.UnsupportedVersion, status);
            }
            Assert.Equal(bit + 1, node.Log.Lines.Length);
        }
    }

    [Fact]
    public async Task Garbage_is_dropped_at_once_with_one_line()
    {
        await using Node node = new();
        using RawDialer dialer = new(node.Port);
        dialer.Send("GET / HTTP/1.1\r\n\r\n"u8);
        dialer.AssertClosed();
        AssertOneLine(node, dialer, "not a handshake");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(Handshake.Size - 1)]
    public async Task Silence_is_dropped_at_the_deadline_with_one_line(int sent)
    {
        await using Node node = new(options: new PeerOptions { HandshakeTimeout = TimeSpan.FromMilliseconds(50) });
        using RawDialer dialer = new(node.Port);
        dialer.Send(RawDialer.Bytes(TestHandshakes.From(2)).AsSpan(0, sent));
        dialer.AssertClosed();
        AssertOneLine(node, dialer, "in time");
    }

    [Fact]
    public async Task Connection_that_closes_without_a_byte_is_not_worth_a_line()
    {
        Node node = new();
        new RawDialer(node.Port).Dispose();
        using RawDialer behind = RawDialer.Accepted(node);
        await node.DisposeAsync();
        Assert.Empty(node.Log.Lines);
    }

    private static void AssertOneLine(Node node, RawDialer dialer, string part)
    {
        Eventually.True(() => node.Log.Lines.Length > 0);
        string line = Assert.Single(node.Log.Lines);
        Assert.Contains(part, line, StringComparison.Ordinal);
        Assert.Contains(dialer.LocalAddress, line, StringComparison.Ordinal);
    }
}
