using System.Net.Sockets;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;

namespace RaftFast.Server.Tests.Peers;

/// <summary>The peers and addresses that member 1 dials as the configurations change.</summary>
public sealed class PeerConfigurationTests
{
    [Fact]
    public async Task Member_that_is_added_is_dialled()
    {
        await using Node second = new(id: 2);
        await using Dialling first = new();
        Assert.False(first.Network.Send(Frames.Heartbeat(1, to: 2), default));
        first.Configure(Dialling.Cluster([2], [second.Port]));
        Assert.Equal(2u, first.Reader.Next<PeerConnected>().Peer);
        Assert.True(first.Network.Send(Frames.Heartbeat(1, to: 2), default));
        first.Network.Flush();
        Assert.Equal(Frames.Bytes(Frames.Heartbeat(1)), second.Reader.NextFrames(Frame.HeaderSize, from: 1));
    }

    [Fact]
    public async Task Removed_member_is_let_go_and_not_dialled_again()
    {
        using RawAcceptor second = new();
        await using (Dialling first = new(second.Port))
        {
            using Socket socket = second.AcceptAndAnswer();
            first.Reader.Next<PeerConnected>();
            first.Configure(Dialling.Cluster([], [], removed: [2]));
            Assert.False(first.Network.CanSend(2));
            Assert.False(first.Network.Send(Frames.Heartbeat(1, to: 2), default));
            Assert.Equal(0, socket.Receive(new byte[1]));
            Assert.Equal(2u, first.Reader.Next<PeerLost>().Peer);
            Assert.Single(first.Log.Lines); // the one line says that member 2 was reachable
        }
        second.AssertNotDialled();
    }

    [Fact]
    public async Task Member_of_either_configuration_is_dialled()
    {
        await using Node second = new(id: 2);
        await using Node third = new(id: 3);
        await using Dialling first = new();
        first.Network.Configure(Dialling.Cluster([2], [second.Port]), Dialling.Cluster([3], [third.Port]));
        Assert.Equal(
            [2ul, 3ul],
            new[] { first.Reader.Next<PeerConnected>().Peer, first.Reader.Next<PeerConnected>().Peer }.Order());
        first.Configure(Dialling.Cluster([3], [third.Port], removed: [2]));
        Assert.Equal(2u, first.Reader.Next<PeerLost>().Peer);
        Assert.True(first.Network.CanSend(3));
    }

    [Fact]
    public async Task Frames_written_to_a_member_before_it_is_let_go_are_no_trouble_to_flush()
    {
        await using Node second = new(id: 2);
        await using Node third = new(id: 3);
        await using Dialling first = new(second.Port, third.Port);
        first.Reader.Next<PeerConnected>();
        first.Reader.Next<PeerConnected>();
        Assert.True(first.Network.Send(Frames.Heartbeat(1, to: 2), default));
        Assert.True(first.Network.Send(Frames.Heartbeat(1, to: 3), default));
        first.Configure(Dialling.Cluster([3], [third.Port], removed: [2]));
        first.Network.Flush();
        Assert.Equal(Frames.Bytes(Frames.Heartbeat(1)), third.Reader.NextFrames(Frame.HeaderSize, from: 1));
        Assert.Equal(2u, first.Reader.Next<PeerLost>().Peer);
    }

    [Fact]
    public async Task Member_that_only_a_truncated_configuration_named_can_still_be_answered()
    {
        await using Node second = new(id: 2);
        await using Dialling first = new();
        ClusterConfiguration alone = Dialling.Cluster([], []);
        for (int i = 0; i < 5; i++)
        {
            // The configuration with member 2 comes with the log, and is truncated before it is committed.
            first.Network.Configure(Dialling.Cluster([2], [second.Port]), alone);
            if (i == 0)
                first.Reader.Next<PeerConnected>();
            first.Network.Configure(alone, alone);
            Assert.True(first.Network.Send(Frames.Heartbeat(1, to: 2), default));
            first.Network.Flush();
            Assert.Equal(Frames.Bytes(Frames.Heartbeat(1)), second.Reader.NextFrames(Frame.HeaderSize, from: 1));
        }
        first.Reader.AssertEmpty();
        // Only a committed removal ends the link.
        first.Configure(Dialling.Cluster([], [], removed: [2]));
        Assert.Equal(2u, first.Reader.Next<PeerLost>().Peer);
    }

    [Fact]
    public async Task Member_of_a_truncated_configuration_is_dialled_again_after_its_connection_is_lost()
    {
        using RawAcceptor second = new();
        await using Dialling first = new();
        ClusterConfiguration alone = Dialling.Cluster([], []);
        first.Network.Configure(Dialling.Cluster([2], [second.Port]), alone);
        Socket socket = second.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
        first.Network.Configure(alone, alone);
        socket.Close();
        first.Reader.Next<PeerLost>();
        using Socket again = second.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
    }

    [Fact]
    public async Task Connection_that_works_outlives_a_configuration_that_knows_another_address()
    {
        using RawAcceptor before = new();
        using RawAcceptor after = new();
        await using (Dialling first = new(before.Port))
        {
            using Socket socket = before.AcceptAndAnswer();
            first.Reader.Next<PeerConnected>();
            first.Configure(Dialling.Cluster([2], [after.Port])); // perhaps an old configuration from the log
            first.Network.Send(Frames.Heartbeat(1, to: 2), default);
            first.Network.Flush();
            Assert.Equal(Frames.Bytes(Frames.Heartbeat(1)), RawAcceptor.Receive(socket, Frame.HeaderSize));
            socket.Close();
            first.Reader.Next<PeerLost>();
            using Socket moved = after.AcceptAndAnswer();
            first.Reader.Next<PeerConnected>();
        }
        before.AssertNotDialled();
    }

    [Fact]
    public async Task Connection_outlives_an_announcement_of_the_address_that_it_leads_to()
    {
        using RawAcceptor second = new();
        await using (Dialling first = new(second.Port))
        {
            using Socket socket = second.AcceptAndAnswer();
            first.Reader.Next<PeerConnected>();
            first.Network.Announced(2, second.Address);
            first.Network.Send(Frames.Heartbeat(1, to: 2), default);
            first.Network.Flush();
            Assert.Equal(Frames.Bytes(Frames.Heartbeat(1)), RawAcceptor.Receive(socket, Frame.HeaderSize));
            first.Reader.AssertEmpty();
        }
        second.AssertNotDialled();
    }

    [Fact]
    public async Task Address_that_changes_ends_an_attempt_under_way()
    {
        using RawAcceptor before = new();
        using RawAcceptor after = new();
        await using Dialling first = new(before.Port);
        using Socket unanswered = before.Accept();
        first.Configure(Dialling.Cluster([2], [after.Port]));
        Assert.Equal(0, unanswered.Receive(new byte[1]));
        using Socket moved = after.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
    }

    [Fact]
    public async Task Address_that_changes_ends_a_pause()
    {
        using RawAcceptor after = new();
        PeerOptions never = new() { BackoffMin = TimeSpan.FromDays(1), BackoffMax = TimeSpan.FromDays(1) };
        await using Dialling first = new(TestHandshakes.AddressOf(2).Port, options: never);
        Eventually.True(() => first.Log.Lines.Length > 0);
        first.Configure(Dialling.Cluster([2], [after.Port]));
        using Socket moved = after.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
    }

    [Fact]
    public async Task Each_address_that_does_not_answer_is_told_once()
    {
        await using Dialling first = new(TestHandshakes.AddressOf(2).Port);
        for (int i = 1; i <= 3; i++)
        {
            Eventually.True(() => first.Log.Lines.Length == i);
            Assert.Contains(
                $"{TestHandshakes.AddressOf(1 + (ulong)i)} is unreachable", first.Log.Lines[^1],
                StringComparison.Ordinal);
            first.Configure(Dialling.Cluster([2], [TestHandshakes.AddressOf(2 + (ulong)i).Port]));
        }
    }

    [Fact]
    public async Task Configurations_of_the_last_call_cost_nothing()
    {
        await using Node second = new(id: 2);
        await using Dialling first = new();
        ClusterConfiguration effective = Dialling.Cluster([2], [second.Port]);
        ClusterConfiguration committed = Dialling.Cluster([], []);
        first.Network.Configure(effective, committed);
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (int i = 0; i < 1000; i++)
                first.Network.Configure(effective, committed);
        }));
    }

    [Fact]
    public async Task Stranger_that_announces_its_address_is_dialled_back()
    {
        await using Node second = new(id: 2);
        await using Dialling first = new();
        first.Network.Announced(2, second.Address);
        first.Reader.Next<PeerConnected>();
        Assert.True(first.Network.CanSend(2));
    }

    [Fact]
    public async Task Stranger_stays_until_a_committed_configuration_has_removed_it()
    {
        await using Node second = new(id: 2);
        await using Node third = new(id: 3);
        await using Dialling first = new();
        first.Network.Announced(2, second.Address);
        first.Reader.Next<PeerConnected>();
        // The configurations in the order in which a joining node receives them with the log.
        first.Configure(Dialling.Cluster([3], [third.Port]));
        Assert.Equal(3u, first.Reader.Next<PeerConnected>().Peer);
        first.Configure(Dialling.Cluster([2, 3], [second.Port, third.Port]));
        Assert.True(first.Network.CanSend(2));
        first.Configure(Dialling.Cluster([3], [third.Port], removed: [2]));
        Assert.Equal(2u, first.Reader.Next<PeerLost>().Peer);
    }

    [Fact]
    public async Task What_a_member_says_of_its_address_and_what_is_configured_are_tried_in_turn()
    {
        using RawAcceptor said = new();
        using RawAcceptor configured = new();
        await using Dialling first = new(TestHandshakes.AddressOf(2).Port);
        first.Network.Announced(2, said.Address);
        using Socket socket = said.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
        first.Configure(Dialling.Cluster([2], [TestHandshakes.AddressOf(2).Port])); // the first configuration again
        first.Network.Announced(2, said.Address); // once more
        Assert.True(first.Network.CanSend(2));
        first.Configure(Dialling.Cluster([2], [configured.Port]));
        Assert.True(first.Network.CanSend(2));
        said.Dispose();
        socket.Close();
        first.Reader.Next<PeerLost>();
        using Socket moved = configured.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
    }

    [Fact]
    public async Task What_a_stranger_says_of_its_address_holds_when_the_log_comes_to_know_it()
    {
        await using Node second = new(id: 2);
        await using Dialling first = new();
        first.Network.Announced(2, second.Address);
        first.Reader.Next<PeerConnected>();
        first.Configure(Dialling.Cluster([2], [TestHandshakes.AddressOf(2).Port]));
        Assert.True(first.Network.CanSend(2));
    }

    [Fact]
    public async Task Announcement_of_this_member_or_of_a_removed_one_is_ignored()
    {
        using RawAcceptor second = new();
        await using (Dialling first = new())
        {
            first.Configure(Dialling.Cluster([], [], removed: [2]));
            first.Network.Announced(1, second.Address);
            first.Network.Announced(2, second.Address);
        }
        second.AssertNotDialled();
    }

    [Fact]
    public async Task Removed_stranger_is_let_go()
    {
        await using Node second = new(id: 2);
        await using Dialling first = new();
        first.Network.Announced(2, second.Address);
        first.Reader.Next<PeerConnected>();
        first.Configure(Dialling.Cluster([], [], removed: [2]));
        Assert.Equal(2u, first.Reader.Next<PeerLost>().Peer);
        Assert.False(first.Network.CanSend(2));
    }

    [Fact]
    public async Task Strangers_that_cannot_be_reached_make_room_for_members()
    {
        using RawAcceptor second = new();
        await using Dialling full = new();
        for (ulong id = 100; id < 100 + PeerOptions.PeersMax; id++)
            full.Network.Announced(id, TestHandshakes.AddressOf(9));
        full.Configure(Dialling.Cluster([2], [second.Port]));
        using Socket socket = second.AcceptAndAnswer();
        Assert.Equal(2u, full.Reader.Next<PeerConnected>().Peer);
    }
}
