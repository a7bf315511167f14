using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Inbound;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;
using Record = RaftFast.Protocol.Record;

namespace RaftFast.Server.Tests.Peers.Inbound;

public sealed class PeerReceiveTests
{
    private static readonly byte[] ThreeFrames =
    [
        .. Frames.Bytes(Frames.Heartbeat(1)),
        .. Frames.Bytes(Frames.Append(2), Frames.Records(5, 0)),
        .. Frames.Bytes(Frames.Heartbeat(2)),
    ];

    [Fact]
    public async Task Frames_arrive_whole_and_in_order()
    {
        await using Node node = new();
        using RawDialer dialer = RawDialer.Accepted(node);
        for (int i = 0; i < 100; i++)
        {
            dialer.Send(ThreeFrames);
            Assert.Equal(ThreeFrames, node.Reader.NextFrames(ThreeFrames.Length, from: 2));
        }
    }

    [Fact]
    public async Task Loss_of_a_connection_is_reported_after_its_frames_and_before_those_of_the_next_one()
    {
        await using Node node = new();
        for (int i = 0; i < 10; i++)
        {
            using RawDialer first = RawDialer.Accepted(node);
            first.Send(ThreeFrames);
            Assert.Equal(ThreeFrames, node.Reader.NextFrames(ThreeFrames.Length, from: 2));
            using RawDialer second = RawDialer.Accepted(node); // replaces the first
            second.Send(ThreeFrames);
            Assert.Equal(2u, node.Reader.Next<PeerAnswersLost>().Peer);
            Assert.Equal(ThreeFrames, node.Reader.NextFrames(ThreeFrames.Length, from: 2));
            second.Socket.Close();
            Assert.Equal(2u, node.Reader.Next<PeerAnswersLost>().Peer);
        }
    }

    [Fact]
    public async Task Directory_is_kept_from_its_first_promise_on()
    {
        await using Node node = new();
        Handshake first = TestHandshakes.From(2) with { HasPromised = false };
        Handshake other = TestHandshakes.From(2) with { Directory = 0xBAD };
        byte[] acknowledgement = Frames.Bytes(new Message { Type = MessageType.AppendResponse, From = 2, Term = 1 });
        using RawDialer dialer = new(node.Port);
        Assert.Equal(HandshakeStatus.Accepted, dialer.ShakeHands(first));
        dialer.Send(acknowledgement);
        Assert.Equal(acknowledgement, node.Reader.NextFrames(acknowledgement.Length, from: 2));
        using RawDialer refused = new(node.Port);
        Assert.Equal(HandshakeStatus.DirectoryReplaced, refused.ShakeHands(other));
    }

    [Fact]
    public async Task Promise_from_a_directory_that_was_replaced_meanwhile_drops_the_connection()
    {
        await using Node node = new();
        using RawDialer empty = new(node.Port);
        Assert.Equal(
            HandshakeStatus.Accepted,
            empty.ShakeHands(TestHandshakes.From(2) with { Directory = 0xBAD, HasPromised = false }));
        // A connection for a snapshot doesn't end the other one.
        using RawDialer other = new(node.Port);
        Assert.Equal(
            HandshakeStatus.Accepted, other.ShakeHands(TestHandshakes.From(2) with { Kind = ConnectionKind.Snapshot }));
        empty.Send(Frames.Bytes(new Message { Type = MessageType.AppendResponse, From = 2, Term = 1 }));
        empty.AssertClosed();
        Assert.Contains("its data directory is not the recorded one", Assert.Single(node.Log.Lines), default);
        node.Reader.AssertEmpty();
    }

    [Fact]
    public async Task Frames_in_two_pieces_cut_anywhere_arrive_the_same()
    {
        await using Node node = new();
        for (int cut = 1; cut < ThreeFrames.Length; cut++)
            Assert.Equal(
                ThreeFrames, await ReceiveAsync(node, ThreeFrames, position => position < cut ? cut : int.MaxValue));
        Assert.Empty(node.Log.Lines);
    }

    [Fact]
    public async Task Frames_one_byte_at_a_time_arrive_the_same()
    {
        await using Node node = new();
        Assert.Equal(ThreeFrames, await ReceiveAsync(node, ThreeFrames, position => position + 1));
        using RawDialer dialer = RawDialer.Accepted(node);
        foreach (byte b in ThreeFrames)
            dialer.Send([b]);
        Assert.Equal(ThreeFrames, node.Reader.NextFrames(ThreeFrames.Length, from: 2));
    }

    [Fact]
    public async Task Largest_frame_arrives_among_small_ones()
    {
        byte[] records = Frames.LargestRecords();
        Assert.Equal(Frame.RecordsBytesMax, records.Length);
        byte[] frames = [.. ThreeFrames, .. Frames.Bytes(Frames.Append(2), records), .. ThreeFrames];
        await using Node node = new();
        using RawDialer dialer = RawDialer.Accepted(node);
        for (int i = 0; i < 3; i++)
        {
            dialer.Send(frames);
            Assert.Equal(frames, node.Reader.NextFrames(frames.Length, from: 2));
        }
    }

    [Fact]
    public async Task Flipped_bit_drops_the_connection_with_one_line_and_posts_nothing()
    {
        byte[] frame = Frames.Bytes(Frames.Append(2), Frames.Records(5, 0));
        await using Node node = new();
        for (int bit = 0; bit < frame.Length * 8; bit++)
        {
            byte[] damaged = [.. frame];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Empty(await ReceiveAsync(node, damaged, _ => int.MaxValue));
            Assert.Equal(bit + 1, node.Log.Lines.Length);
        }
    }

    [Fact]
    public async Task Damaged_frame_closes_the_socket_with_a_line_that_says_whose_and_what()
    {
        await using Node node = new();
        using RawDialer dialer = RawDialer.Accepted(node);
        byte[] frame = Frames.Bytes(Frames.Append(1), Frames.Records(5));
        frame[^1] ^= 1;
        dialer.Send(frame);
        dialer.AssertClosed();
        Eventually.True(() => node.Log.Lines.Length > 0);
        string line = Assert.Single(node.Log.Lines);
        Assert.Contains("member 2", line, StringComparison.Ordinal);
        Assert.Contains(dialer.LocalAddress, line, StringComparison.Ordinal);
        Assert.Contains("the records of a frame of type Append", line, StringComparison.Ordinal);

        using RawDialer again = RawDialer.Accepted(node);
        again.Send(ThreeFrames);
        Assert.Equal(ThreeFrames, node.Reader.NextFrames(ThreeFrames.Length, from: 2));
    }

    [Fact]
    public async Task Records_out_of_order_drop_the_connection() // §5.3
    {
        await using Node node = new();
        byte[] frame = Frames.Bytes(Frames.Append(1) with { Position = new(2, 11) }, Frames.Records(5));
        Assert.Empty(await ReceiveAsync(node, frame, _ => int.MaxValue));
        Assert.Single(node.Log.Lines);
    }

    [Fact]
    public async Task Length_over_the_bound_drops_the_connection_before_anything_is_allocated_for_it()
    {
        byte[] header = Frames.Bytes(Frames.Append(1), Frames.Records(5))[..Frame.HeaderSize];
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), Frame.RecordsBytesMax + Record.Alignment);
        BinaryPrimitives.WriteUInt32LittleEndian(header, Crc32C.Compute(header.AsSpan(4)));
        await using Node node = new();
        using RawDialer dialer = RawDialer.Accepted(node);
        dialer.Send(header);
        dialer.AssertClosed();
        Eventually.True(() => node.Log.Lines.Length == 1);
        Assert.Contains("header", node.Log.Lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_both_batches_at_the_loop_the_sender_has_to_wait()
    {
        await using Node node = new();
        using RawDialer dialer = RawDialer.Accepted(node);
        dialer.Send(ThreeFrames);
        PeerBatch first = node.Reader.Next<PeerBatch>();
        dialer.Send(ThreeFrames);
        PeerBatch second = node.Reader.Next<PeerBatch>();
        Assert.NotSame(first, second);

        // The node does not read: the kernel's buffers fill until the socket takes nothing for half a second.
        dialer.Socket.Blocking = false;
        int sent = 0;
        int offset = 0;
        while (dialer.Socket.Poll(TimeSpan.FromMilliseconds(500), SelectMode.SelectWrite))
        {
            int length = dialer.Socket.Send(ThreeFrames.AsSpan(offset), SocketFlags.None, out _);
            sent += length;
            offset = (offset + length) % ThreeFrames.Length;
        }
        Assert.Equal(ThreeFrames, first.Frames);
        Assert.Equal(ThreeFrames, second.Frames);
        node.Reader.AssertEmpty();

        second.Release();
        first.Release();
        int whole = sent - offset;
        byte[] received = node.Reader.NextFrames(whole, from: 2);
        for (int i = 0; i < whole; i += ThreeFrames.Length)
            Assert.True(received.AsSpan(i, ThreeFrames.Length).SequenceEqual(ThreeFrames));
    }

    [Fact]
    public async Task Newer_connection_of_a_member_replaces_the_older_one()
    {
        await using Node node = new();
        using RawDialer older = RawDialer.Accepted(node);
        older.Send(ThreeFrames);
        Assert.Equal(ThreeFrames, node.Reader.NextFrames(ThreeFrames.Length, from: 2));
        using RawDialer newer = RawDialer.Accepted(node);
        older.AssertClosed();
        newer.Send(ThreeFrames);
        Assert.Equal(ThreeFrames, node.Reader.NextFrames(ThreeFrames.Length, from: 2));
        Assert.Empty(node.Log.Lines);
    }

    [Fact]
    public async Task Newer_connection_costs_no_more_batches_while_the_loop_has_both()
    {
        await using Node node = new();
        List<PeerBatch> held = [];
        RawDialer? dialer = null;
        for (int i = 0; i < 2; i++)
        {
            dialer?.Dispose();
            dialer = RawDialer.Accepted(node);
            dialer.Send(ThreeFrames);
            held.Add(node.Reader.Next<PeerBatch>());
        }
        for (int i = 0; i < 10; i++)
        {
            using RawDialer older = dialer!;
            dialer = RawDialer.Accepted(node);
            dialer.Send(Frames.Bytes(Frames.Heartbeat(i)));
            older.AssertClosed();
        }
        node.Reader.AssertEmpty();
        foreach (PeerBatch batch in held)
            batch.Release();
        byte[] last = Frames.Bytes(Frames.Heartbeat(9));
        Assert.Equal(last, node.Reader.NextFrames(last.Length, from: 2));
        dialer!.Dispose();
    }

    [Fact]
    public async Task Disposing_does_not_wait_for_a_loop_that_keeps_its_batches()
    {
        Node node = new();
        using RawDialer dialer = RawDialer.Accepted(node);
        using RawDialer silent = new(node.Port);
        for (int i = 0; i < 2; i++)
        {
            dialer.Send(ThreeFrames);
            node.Reader.Next<PeerBatch>();
        }
        dialer.Send(ThreeFrames);
        await node.DisposeAsync().AsTask().WaitAsync(Eventually.Deadline, TestContext.Current.CancellationToken);
        dialer.AssertClosed();
        Assert.Empty(node.Log.Lines);
    }

    [Fact]
    public async Task Members_do_not_share_batches()
    {
        await using Node node = new();
        using RawDialer second = RawDialer.Accepted(node, from: 2);
        using RawDialer third = RawDialer.Accepted(node, from: 3);
        second.Send(ThreeFrames);
        PeerBatch held = node.Reader.Next<PeerBatch>();
        second.Send(ThreeFrames);
        PeerBatch alsoHeld = node.Reader.Next<PeerBatch>();
        third.Send(ThreeFrames);
        Assert.Equal(ThreeFrames, node.Reader.NextFrames(ThreeFrames.Length, from: 3));
        held.Release();
        alsoHeld.Release();
    }

    [Fact]
    public async Task Kestrels_connections_are_served_too()
    {
        await using Node node = new();
        SocketTransportFactory transport = new(
            Options.Create(new SocketTransportOptions()), NullLoggerFactory.Instance);
        await using IConnectionListener listener = await transport.BindAsync(
            new IPEndPoint(IPAddress.Loopback, 0), TestContext.Current.CancellationToken);
        using RawDialer dialer = new(((IPEndPoint)listener.EndPoint).Port);
        await using ConnectionContext connection = (await listener.AcceptAsync(TestContext.Current.CancellationToken))!;
        Task serving = node.Acceptor.OnConnectedAsync(connection);
        Assert.Equal(HandshakeStatus.Accepted, dialer.ShakeHands(TestHandshakes.From(2)));
        dialer.Send(ThreeFrames);
        Assert.Equal(ThreeFrames, node.Reader.NextFrames(ThreeFrames.Length, from: 2));
        using RawDialer newer = RawDialer.Accepted(node);
        await serving.WaitAsync(Eventually.Deadline, TestContext.Current.CancellationToken);
    }

    /// <summary>
    /// Returns what the loop gets from a connection of member 2 that sends the bytes in these pieces and then closes.
    /// </summary>
    private static async Task<byte[]> ReceiveAsync(Node node, byte[] bytes, Func<int, int> nextCut)
    {
        byte[] input = [.. RawDialer.Bytes(TestHandshakes.From(2)), .. bytes];
        PieceStream pieces = new(input, position =>
            position < Handshake.Size
                ? Handshake.Size
                : Math.Min(nextCut(position - Handshake.Size), bytes.Length) + Handshake.Size);
        Task serving = node.Acceptor.ServeAsync(
            PipeReader.Create(pieces), Stream.Null, null, () => { }, TestContext.Current.CancellationToken);
        List<byte> received = [];
        object?[] one = new object?[1];
        while (!serving.IsCompleted || node.Inbox.Wait(0))
        {
            if (node.Inbox.Drain(one) == 0)
            {
                await Task.Yield();
                continue;
            }
            if (one[0] is PeerAnnounced or PeerAnswersLost)
                continue;
            PeerBatch batch = Assert.IsType<PeerBatch>(one[0]);
            received.AddRange(batch.Frames);
            batch.Release();
        }
        await serving;
        return [.. received];
    }
}
