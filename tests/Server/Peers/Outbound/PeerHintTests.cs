using System.Net.Sockets;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;

namespace RaftFast.Server.Tests.Peers.Outbound;

/// <summary>Addresses of --cluster that member 1 dials beside those of the log.</summary>
public sealed class PeerHintTests
{
    [Fact]
    public async Task Member_that_a_hint_leads_to_dials_back_and_is_talked_to()
    {
        using RawAcceptor moved = new();
        await using Dialling first = new();
        first.Configure(Dialling.Cluster([2], [9])); // a dead address
        first.Network.Hint(moved.Address);
        using (moved.AcceptAndAnswer(kind: ConnectionKind.Hint))
            first.Network.Announced(2, moved.Address);
        // Perhaps more hints come before the link dials.
        first.Reader.AssertEmpty();
        Socket? link = null;
        while (link is null)
            link = moved.TryAcceptLink();
        using (link)
            Assert.Equal(2u, first.Reader.Next<PeerConnected>().Peer);
    }

    [Fact]
    public async Task Hint_is_not_dialled_where_a_link_dials_or_while_all_members_are_connected()
    {
        using RawAcceptor second = new();
        using RawAcceptor stale = new();
        await using (Dialling first = new(second.Port))
        {
            using Socket socket = second.AcceptAndAnswer(); // a link's handshake, not a hint's
            first.Reader.Next<PeerConnected>();
            foreach (PeerAddress address in new[] { second.Address, stale.Address, TestHandshakes.AddressOf(1) })
                first.Network.Hint(address);
            first.Configure(Dialling.Cluster([2], [second.Port]));
            await first.Network.DisposeAsync();
        }
        second.AssertNotDialled();
        stale.AssertNotDialled();
    }

    [Fact]
    public async Task Wrong_hint_is_logged_once_and_not_tried_again_soon()
    {
        using RawAcceptor wrong = new();
        await using (Dialling first = new())
        {
            first.Network.Hint(wrong.Address);
            using Socket socket = wrong.AcceptAndAnswer(HandshakeStatus.WrongCluster, ConnectionKind.Hint);
            Eventually.True(() => first.Log.Lines.Length == 1);
            Assert.Contains("no member of this cluster answers at", first.Log.Lines[0], default);
            Assert.Contains(nameof(HandshakeStatus.WrongCluster), first.Log.Lines[0], default);
        }
        wrong.AssertNotDialled();
    }

    [Fact]
    public async Task Hint_at_which_nobody_listens_is_tried_again_without_a_word()
    {
        PeerAddress address;
        using (RawAcceptor taken = new())
            address = taken.Address;
        await using Dialling first = new();
        first.Network.Hint(address);
        await using Node late = new(id: 2, port: address.Port);
        Assert.Equal(1u, late.Reader.Next<PeerAnnounced>().Peer);
        Assert.Empty(first.Log.Lines);
    }
}
