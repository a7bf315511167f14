using System.IO.Pipelines;
using RaftFast.Server.Peers.Inbound;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Tests.Peers.Inbound;

public sealed class InboundConnectionTests
{
    [Fact]
    public async Task Loss_is_reported_after_the_last_frames_even_while_an_earlier_loss_waits_for_the_loop()
    {
        byte[] frames = Frames.Bytes(Frames.Heartbeat(1));
        Inbox inbox = new(64);
        InboxReader reader = new(inbox);
        InboundMember member = new(2, new PeerOptions());
        inbox.Post(member.AnswersLost);

        Pipe pipe = new();
        await pipe.Writer.WriteAsync(frames, TestContext.Current.CancellationToken);
        await pipe.Writer.CompleteAsync();
        InboundConnection connection = new(member, pipe.Reader, close: () => { }, inbox, keep: null);
        Task<string?> receiving = connection.RunAsync();

        Assert.IsType<PeerAnswersLost>(reader.Next());
        PeerBatch batch = Assert.IsType<PeerBatch>(reader.Next());
        Assert.Equal(frames, batch.Frames);
        batch.Release();
        Assert.IsType<PeerAnswersLost>(reader.Next());
        Assert.Null(await receiving);
    }

    [Fact]
    public async Task Connection_that_waits_for_the_loop_can_be_ended()
    {
        Inbox inbox = new(64);
        InboundMember member = new(2, new PeerOptions());
        inbox.Post(member.AnswersLost);
        Pipe pipe = new();
        await pipe.Writer.WriteAsync(Frames.Bytes(Frames.Heartbeat(1)), TestContext.Current.CancellationToken);
        InboundConnection connection = new(member, pipe.Reader, close: () => { }, inbox, keep: null);
        Task<string?> receiving = connection.RunAsync();
        Assert.False(receiving.IsCompleted);
        connection.End();
        Assert.Null(await receiving.WaitAsync(Eventually.Deadline, TestContext.Current.CancellationToken));
    }
}
