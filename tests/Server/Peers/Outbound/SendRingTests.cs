using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Peers.Outbound;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Tests.Peers.Outbound;

public sealed class SendRingTests
{
    private const int RingBytes = 4 << 20;
    private const int BulkBytesMax = 1 << 20;

    /// <summary>Bytes that the sender takes at once.</summary>
    private const int RunBytes = 256 << 10;

    private readonly Inbox inbox = new(4);
    private readonly SendRing ring;

    public SendRingTests() => ring = new SendRing(new byte[RingBytes], BulkBytesMax, inbox, new PeerDrained(2));

    /// <summary>
    /// The ring stays nearly full: it is never empty, and so never restarts at its beginning. Every kind of write
    /// crosses its end.
    /// </summary>
    [Fact]
    public async Task Bytes_come_out_as_they_went_in_however_often_they_go_around()
    {
        using GatedStream stream = new();
        Task sending = Task.Run(() => ring.SendAsync(stream), TestContext.Current.CancellationToken);
        Random random = new(1);
        byte[] noise = new byte[100_000];
        random.NextBytes(noise);
        using MemoryStream expected = new();
        while (expected.Length < 10 * RingBytes)
        {
            byte[] records = noise[..(random.Next(noise.Length / 8) * 8)];
            Message message = Frames.Append(1);
            // Few bytes may be left up to the ring's end, so one permit may not free enough room.
            while (!ring.TryBegin(message, records.Length))
            {
                int begun = stream.Begun;
                stream.Permit(1);
                Eventually.True(() => stream.Begun > begun);
            }
            int cut = random.Next(records.Length + 1);
            ring.Write(records.AsSpan(0, cut));
            ring.Write(records.AsSpan(cut));
            ring.Flush();
            expected.Write(Frames.Bytes(message, records));
        }
        stream.Permit(1000);
        Eventually.True(() => stream.Begun > 0 && ring.CanSendBulk());
        Eventually.True(() => stream.Taken.Length == expected.Length);
        ring.Close();
        await sending;
        Assert.True(stream.Taken.SequenceEqual(expected.GetBuffer().AsSpan(0, (int)expected.Length)));
    }

    [Fact]
    public async Task Bulk_waits_until_half_of_the_bound_is_sent()
    {
        using GatedStream stream = new();
        Task sending = Task.Run(() => ring.SendAsync(stream), TestContext.Current.CancellationToken);
        Assert.True(ring.CanSendBulk());
        WriteFrame(BulkBytesMax);
        Assert.False(ring.CanSendBulk());
        ring.Flush();
        stream.Permit(1);
        Eventually.True(() => stream.Begun == 2);
        Assert.False(ring.CanSendBulk());
        Assert.False(inbox.Wait(0));
        stream.Permit(1);
        Eventually.True(() => inbox.Wait(0));
        Assert.Equal(BulkBytesMax / 2 / RunBytes, stream.Taken.Length / RunBytes);
        Assert.True(ring.CanSendBulk());
        ring.Close();
        stream.Permit(1);
        await sending;
    }

    [Fact]
    public void Full_ring_takes_no_frame_and_keeps_what_it_has()
    {
        WriteFrame(Frame.HeaderSize + Frame.RecordsBytesMax);
        WriteFrame(RingBytes - Frame.HeaderSize - Frame.RecordsBytesMax - Frame.HeaderSize);
        Assert.False(ring.TryBegin(Frames.Append(1), 8));
        Assert.True(ring.TryBegin(Frames.Heartbeat(1), 0));
        Assert.False(ring.TryBegin(Frames.Heartbeat(1), 0));
    }

    [Fact]
    public void Frame_is_written_to_its_last_byte_and_no_further()
    {
        Assert.True(ring.TryBegin(Frames.Append(1), 40));
        Assert.Throws<InvariantException>(() => ring.Write(new byte[48]));
        Assert.Throws<InvariantException>(ring.Flush);
        Assert.Throws<InvariantException>(() => ring.TryBegin(Frames.Heartbeat(1), 0));
    }

    /// <param name="length">Length of the frame with its header.</param>
    private void WriteFrame(int length)
    {
        Assert.True(ring.TryBegin(Frames.Append(1), length - Frame.HeaderSize));
        ring.Write(new byte[length - Frame.HeaderSize]);
    }
}
