using System.Net;
using System.Net.Sockets;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;

namespace RaftFast.Server.Tests.Peers;

public sealed class PeerNetworkTests
{
    [Fact]
    public async Task Thousands_of_small_frames_arrive_in_order()
    {
        const int Count = 20_000;
        await using Node second = new(id: 2);
        await using Dialling first = new(second.Port);
        first.Reader.Next<PeerConnected>();
        Task<byte[]> receiving = Task.Run(() => second.Reader.NextFrames(Count * Frame.HeaderSize, from: 1));
        for (int i = 0; i < Count; i++)
        {
            Assert.True(first.Network.Send(Frames.Heartbeat(i, to: 2), default));
            if (i % 7 == 0)
                first.Network.Flush();
        }
        first.Network.Flush();
        byte[] frames = await receiving;
        for (int i = 0; i < Count; i++)
        {
            Frame.TryReadHeader(frames.AsSpan(i * Frame.HeaderSize), out Message message, out _);
            Assert.Equal(i, message.Context);
        }
    }

    [Fact]
    public async Task Frame_whose_records_come_in_several_runs_is_the_same_frame()
    {
        await using Node second = new(id: 2);
        await using Dialling first = new(second.Port);
        first.Reader.Next<PeerConnected>();
        byte[] records = Frames.Records(100, 0, 3000);
        byte[] frame = Frames.Bytes(Frames.Append(3), records);
        for (int cut = 0; cut <= records.Length; cut += 8)
        {
            Assert.True(first.Network.Begin(Frames.Append(3, to: 2), records.Length));
            first.Network.Write(2, records.AsSpan(0, cut));
            first.Network.Write(2, records.AsSpan(cut));
            first.Network.Flush();
            Assert.Equal(frame, second.Reader.NextFrames(frame.Length, from: 1));
        }
    }

    [Fact]
    public async Task Largest_frames_go_around_the_ring_unharmed()
    {
        byte[] records = Frames.LargestRecords();
        byte[] frame = Frames.Bytes(Frames.Append(2), records);
        await using Node second = new(id: 2);
        await using Dialling first = new(second.Port);
        first.Reader.Next<PeerConnected>();
        byte[] heartbeat = Frames.Bytes(Frames.Heartbeat(1));
        for (int i = 0; i < 12; i++)
        {
            Assert.True(first.Network.Send(Frames.Heartbeat(1, to: 2), default));
            Assert.True(first.Network.Send(Frames.Append(2, to: 2), records));
            first.Network.Flush();
            byte[] received = second.Reader.NextFrames(heartbeat.Length + frame.Length, from: 1);
            Assert.True(received.AsSpan().SequenceEqual([.. heartbeat, .. frame]));
        }
    }

    [Fact]
    public async Task One_flush_sends_to_every_member_written_to()
    {
        await using Node second = new(id: 2);
        await using Node third = new(id: 3);
        await using Dialling first = new(second.Port, third.Port);
        Assert.Equal(
            [2ul, 3ul],
            new[] { first.Reader.Next<PeerConnected>().Peer, first.Reader.Next<PeerConnected>().Peer }.Order());
        for (int i = 0; i < 100; i++)
        {
            Assert.True(first.Network.Send(Frames.Heartbeat(i, to: 3), default));
            Assert.True(first.Network.Send(Frames.Heartbeat(i, to: 2), default));
            Assert.True(first.Network.Send(Frames.Heartbeat(i + 1, to: 3), default));
            first.Network.Flush();
            Assert.Equal(Frames.Bytes(Frames.Heartbeat(i)), second.Reader.NextFrames(Frame.HeaderSize, from: 1));
            Assert.Equal(
                [.. Frames.Bytes(Frames.Heartbeat(i)), .. Frames.Bytes(Frames.Heartbeat(i + 1))],
                third.Reader.NextFrames(2 * Frame.HeaderSize, from: 1));
        }
    }

    [Fact]
    public async Task Message_to_a_member_that_is_not_connected_is_lost()
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        using Socket unanswered = second.Accept();
        Assert.False(first.Network.CanSend(2));
        Assert.False(first.Network.Send(Frames.Heartbeat(1, to: 2), default));
        Assert.False(first.Network.Begin(Frames.Append(1, to: 2), 40));
        Assert.False(first.Network.Send(Frames.Heartbeat(1, to: 9), default));
        first.Network.Flush();
    }

    [Fact]
    public async Task Connection_may_end_between_two_frames_of_one_flush()
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        using (second.AcceptAndAnswer())
        {
            first.Reader.Next<PeerConnected>();
            Assert.True(first.Network.Send(Frames.Heartbeat(1, to: 2), default));
        }
        first.Reader.Next<PeerLost>();
        Assert.False(first.Network.Send(Frames.Heartbeat(2, to: 2), default));
        first.Network.Flush();
    }

    [Fact]
    public async Task Restarted_member_is_reached_again_and_each_change_is_one_line()
    {
        Node second = new(id: 2);
        int port = second.Port;
        await using Dialling first = new(port);
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(2u, first.Reader.Next<PeerConnected>().Peer);
            Assert.True(first.Network.CanSend(2));
            Assert.True(first.Network.Send(Frames.Heartbeat(i, to: 2), default));
            first.Network.Flush();
            Assert.Equal(Frames.Bytes(Frames.Heartbeat(i)), second.Reader.NextFrames(Frame.HeaderSize, from: 1));
            await second.DisposeAsync();
            Assert.Equal(2u, first.Reader.Next<PeerLost>().Peer);
            Assert.False(first.Network.CanSend(2));
            Assert.False(first.Network.Send(Frames.Heartbeat(i, to: 2), default));
            second = new Node(id: 2, port: port);
        }
        first.Reader.Next<PeerConnected>();
        Assert.Equal(
            ["reachable", "unreachable:", "reachable", "unreachable:", "reachable", "unreachable:", "reachable"],
            first.Log.Lines.Select(line => line.Split(' ')[5]));
        await second.DisposeAsync();
    }

    [Fact]
    public async Task Refusal_is_told_once_however_often_it_is_repeated()
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        for (int i = 0; i < 5; i++)
        {
            using Socket refused = second.AcceptAndAnswer(HandshakeStatus.WrongCluster);
        }
        Assert.Contains(nameof(HandshakeStatus.WrongCluster), Assert.Single(first.Log.Lines), StringComparison.Ordinal);
        first.Reader.AssertEmpty();
    }

    [Fact]
    public async Task Member_that_is_down_from_the_start_is_told_once_and_dialled_until_it_is_there()
    {
        using Socket reserved = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        reserved.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        int port = ((IPEndPoint)reserved.LocalEndPoint!).Port;
        await using Dialling first = new(port);
        Eventually.True(() => first.Log.Lines.Length > 0);
        reserved.Dispose();
        await using Node second = new(id: 2, port: port);
        first.Reader.Next<PeerConnected>();
        Assert.Equal(2, first.Log.Lines.Length);
        Assert.Contains("unreachable: Connection refused", first.Log.Lines[0], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak")]
    [InlineData("RaftFast but nothing else", "does not speak")]
    [InlineData("", "closed")]
    public async Task Nonsense_in_place_of_an_answer_is_told_once_and_dialled_again(string answer, string told)
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        for (int i = 0; i < 4; i++)
        {
            using Socket socket = second.Accept();
            socket.Send(System.Text.Encoding.ASCII.GetBytes(answer));
            socket.Shutdown(SocketShutdown.Send);
        }
        Assert.Contains(told, Assert.Single(first.Log.Lines), StringComparison.Ordinal);
        first.Reader.AssertEmpty();
        using Socket last = second.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
    }

    [Fact]
    public async Task Answer_may_come_one_byte_at_a_time()
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        using Socket socket = second.Accept();
        socket.NoDelay = true;
        byte[] answer = new byte[Handshake.AnswerSize];
        Handshake.WriteAnswer(answer, HandshakeStatus.Accepted);
        foreach (byte b in answer)
            socket.Send([b]);
        first.Reader.Next<PeerConnected>();
    }

    [Fact]
    public async Task Silence_in_place_of_an_answer_ends_at_the_deadline()
    {
        using RawAcceptor second = new();
        await using Dialling first = new(
            second.Port, options: Dialling.Fast with { HandshakeTimeout = TimeSpan.FromMilliseconds(50) });
        using Socket silent = second.Accept();
        Assert.Equal(0, silent.Receive(new byte[1]));
        Eventually.True(() => first.Log.Lines.Length > 0);
        Assert.Contains("no answer in time", first.Log.Lines[0], StringComparison.Ordinal);
        using Socket next = second.Accept();
    }

    [Fact]
    public async Task Bytes_against_the_stream_end_the_connection()
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        using Socket socket = second.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
        socket.Send([1]);
        first.Reader.Next<PeerLost>();
        using Socket again = second.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
    }

    [Fact]
    public async Task Loop_that_is_late_sees_connections_begin_and_end_in_turn()
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        for (int i = 0; i < 10; i++)
        {
            second.AcceptAndAnswer().Dispose();
            // The peer must not be dialled again before the loop takes the loss: otherwise PeerConnected would come
            // twice in a row.
            Eventually.True(() => first.Log.Lines.Length == 2 * (i + 1));
            first.Reader.Next<PeerConnected>();
            first.Reader.Next<PeerLost>();
            first.Reader.AssertEmpty();
        }
    }

    [Fact]
    public async Task Disposing_closes_connections_without_a_word()
    {
        using RawAcceptor second = new();
        Dialling first = new(second.Port);
        using Socket socket = second.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
        await first.DisposeAsync();
        Assert.Equal(0, socket.Receive(new byte[1]));
        Assert.Single(first.Log.Lines);
        Assert.False(first.Network.Send(Frames.Heartbeat(1, to: 2), default));
    }

    [Fact]
    public async Task Disposing_ends_an_attempt_under_way()
    {
        using RawAcceptor second = new();
        Dialling first = new(second.Port);
        using Socket unanswered = second.Accept();
        await first.DisposeAsync();
        Assert.Equal(0, unanswered.Receive(new byte[1]));
        Assert.Empty(first.Log.Lines);
    }
}
