using RaftFast.Protocol;
using RaftFast.Server.Peers.Inbound;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Tests.Peers;

/// <summary>Takes items from an inbox one at a time, in the role of the loop's own thread.</summary>
internal sealed class InboxReader
{
    private readonly Inbox inbox;
    private readonly object?[] one = new object?[1];

    public InboxReader(Inbox inbox)
    {
        this.inbox = inbox;
        inbox.Open(_ => inbox.GiveTurnBack(isDone: true));
    }

    /// <summary>
    /// Takes the next item. Skips <see cref="PeerAnnounced"/> and <see cref="PeerAnswersLost"/>, unless that is the
    /// type asked for.
    /// </summary>
    public T Next<T>()
    {
        object item;
        do
            item = Next();
        while (item is PeerAnnounced or PeerAnswersLost && item is not T);
        return Assert.IsAssignableFrom<T>(item);
    }

    public object Next()
    {
        Assert.True(inbox.Wait((int)Eventually.Deadline.TotalMilliseconds), "nothing came");
        Assert.Equal(1, inbox.Drain(one));
        return one[0]!;
    }

    public void AssertEmpty()
    {
        while (inbox.Drain(one) > 0)
            Assert.True(one[0] is PeerAnnounced or PeerAnswersLost);
    }

    /// <summary>Takes the next <paramref name="length"/> bytes of frames, and releases their batches.</summary>
    public byte[] NextFrames(int length, ulong from)
    {
        List<byte> frames = [];
        while (frames.Count < length)
        {
            PeerBatch batch = Next<PeerBatch>();
            Assert.Equal(from, batch.From);
            AssertWhole(batch.Frames);
            frames.AddRange(batch.Frames);
            batch.Release();
        }
        return [.. frames];
    }

    private static void AssertWhole(ReadOnlySpan<byte> frames)
    {
        Assert.False(frames.IsEmpty);
        while (!frames.IsEmpty)
        {
            Assert.Equal(
                DecodeStatus.Complete, Frame.TryReadHeader(frames, out Message message, out int recordsLength));
            Assert.True(Frame.RecordsAreValid(message, frames.Slice(Frame.HeaderSize, recordsLength)));
            frames = frames[(Frame.HeaderSize + recordsLength)..];
        }
    }
}
