using System.Net.Sockets;
using System.Runtime.InteropServices;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Tests.Peers.Outbound;

public sealed class PeerBackPressureTests
{
    private static readonly byte[] Records = Frames.Records(500_000);

    [Fact]
    public async Task Member_that_is_behind_gets_small_frames_only_until_it_has_caught_up()
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        using Socket socket = second.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
        List<byte> expected = [];
        int bulk = SendBulkUntilBehind(first);
        for (int i = 0; i < bulk; i++)
            expected.AddRange(Frames.Bytes(Frames.Append(1), Records));
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(first.Network.Send(Frames.Heartbeat(i, to: 2), default));
            first.Network.Flush();
            expected.AddRange(Frames.Bytes(Frames.Heartbeat(i)));
        }
        Assert.False(first.Network.CanSend(2));
        first.Reader.AssertEmpty();

        byte[] received = RawAcceptor.Receive(socket, expected.Count);
        Assert.True(received.AsSpan().SequenceEqual(CollectionsMarshal.AsSpan(expected)));
        Assert.Equal(2u, first.Reader.Next<PeerDrained>().Peer);
        Assert.True(first.Network.CanSend(2));
        first.Reader.AssertEmpty();
    }

    [Fact]
    public async Task Drained_is_posted_each_time_but_only_after_the_loop_had_to_wait()
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        using Socket socket = second.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
        for (int round = 0; round < 2; round++)
        {
            int bulk = SendBulkUntilBehind(first);
            RawAcceptor.Receive(socket, bulk * (Frame.HeaderSize + Records.Length));
            first.Reader.Next<PeerDrained>();
            first.Network.Send(Frames.Append(1, to: 2), Records);
            first.Network.Flush();
            RawAcceptor.Receive(socket, Frame.HeaderSize + Records.Length);
            first.Reader.AssertEmpty();
        }
    }

    [Fact]
    public async Task Member_that_never_reads_is_cut_off_and_dialled_again()
    {
        using RawAcceptor second = new();
        await using Dialling first = new(second.Port);
        using Socket socket = second.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
        SendBulkUntilBehind(first);
        long small = 0;
        while (first.Network.Send(Frames.Heartbeat(1, to: 2), default))
        {
            first.Network.Flush();
            small += Frame.HeaderSize;
            Assert.True(small <= new PeerOptions().SendBytesMax, "more is kept for a member than its bound");
        }
        first.Network.Flush();
        Assert.False(first.Network.CanSend(2));
        first.Reader.Next<PeerLost>();
        Eventually.True(() => first.Log.Lines.Length == 2);
        Assert.Contains("does not read", first.Log.Lines[1], StringComparison.Ordinal);

        using Socket again = second.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
        Assert.True(first.Network.CanSend(2));
        first.Network.Send(Frames.Heartbeat(5, to: 2), default);
        first.Network.Flush();
        Assert.Equal(Frames.Bytes(Frames.Heartbeat(5)), RawAcceptor.Receive(again, Frame.HeaderSize));
    }

    [Fact]
    public async Task Disposing_does_not_wait_for_a_member_that_does_not_read()
    {
        using RawAcceptor second = new();
        Dialling first = new(second.Port);
        using Socket socket = second.AcceptAndAnswer();
        first.Reader.Next<PeerConnected>();
        SendBulkUntilBehind(first);
        await first.DisposeAsync();
        Assert.Single(first.Log.Lines);
    }

    /// <summary>The whole chain: a loop that keeps its batches stops the other loop's bulk.</summary>
    [Fact]
    public async Task Loop_that_does_not_release_its_batches_holds_the_sender_back()
    {
        await using Node second = new(id: 2);
        await using Dialling first = new(second.Port);
        first.Reader.Next<PeerConnected>();
        int bulk = SendBulkUntilBehind(first);
        byte[] frame = Frames.Bytes(Frames.Append(1), Records);
        for (int i = 0; i < bulk; i++)
            Assert.True(second.Reader.NextFrames(frame.Length, from: 1).AsSpan().SequenceEqual(frame));
        first.Reader.Next<PeerDrained>();
        Assert.True(first.Network.CanSend(2));
    }

    /// <returns>Number of frames of <see cref="Records"/> sent, some of which are in the kernel's buffers.</returns>
    private static int SendBulkUntilBehind(Dialling first)
    {
        int count = 0;
        // The kernel takes bytes with a delay. The member counts as behind only once the kernel takes no more.
        while (SpinWait.SpinUntil(() => first.Network.CanSend(2), TimeSpan.FromMilliseconds(200)))
        {
            Assert.True(first.Network.Send(Frames.Append(1, to: 2), Records));
            first.Network.Flush();
            Assert.True(++count < 1000, "nothing holds the sender back");
        }
        while (first.Inbox.Drain(new object?[1]) > 0)
        {
        }
        return count;
    }
}
