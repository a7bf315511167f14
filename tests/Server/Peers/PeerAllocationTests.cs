using RaftFast.Protocol;
using RaftFast.Server.Peers.Inbound;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Tests.Peers;

/// <summary>Member 1 sends over a real connection, and member 2's loop takes and releases the batches.</summary>
[Collection(nameof(Alone))]
public sealed class PeerAllocationTests
{
    private const int Frames10k = 10_000;

    [Theory]
    [InlineData(0, 1)]
    [InlineData(0, 100)]
    [InlineData(100, 1)]
    [InlineData(100, 100)]
    [InlineData(16_384, 50)]
    public async Task Ten_thousand_frames_allocate_nothing_anywhere(int payloadLength, int framesPerFlush)
    {
        Message message = payloadLength == 0 ? Frames.Heartbeat(1, to: 2) : Frames.Append(1, to: 2);
        byte[] records = payloadLength == 0 ? [] : Frames.Records(payloadLength);
        int frameLength = Frame.HeaderSize + records.Length;
        await using Node second = new(id: 2);
        await using Dialling first = new(second.Port);
        first.Reader.Next<PeerConnected>();
        long received = 0;
        long sent = 0;
        bool stop = false;
        Thread loop = new(() =>
        {
            object?[] taken = new object?[8];
            while (!Volatile.Read(ref stop))
            {
                second.Inbox.Wait(20);
                foreach (object? item in taken.AsSpan(0, second.Inbox.Drain(taken)))
                {
                    if (item is PeerAnnounced)
                        continue;
                    PeerBatch batch = (PeerBatch)item!;
                    int length = batch.Frames.Length;
                    batch.Release();
                    Interlocked.Add(ref received, length);
                }
            }
        });
        loop.Start();

        // Runs until the runtime's pools and tables have grown to their final size, and the code is compiled.
        long inTotal = long.MaxValue;
        long onLoop = long.MaxValue;
        for (int attempt = 0; attempt < 10 && (inTotal > 0 || onLoop > 0); attempt++)
        {
            long totalBefore = GC.GetTotalAllocatedBytes(precise: true);
            long loopBefore = GC.GetAllocatedBytesForCurrentThread();
            SendAll();
            onLoop = GC.GetAllocatedBytesForCurrentThread() - loopBefore;
            inTotal = GC.GetTotalAllocatedBytes(precise: true) - totalBefore;
        }
        Volatile.Write(ref stop, true);
        loop.Join();
        Assert.Equal(0, onLoop);
        Assert.Equal(0, inTotal);

        void SendAll()
        {
            for (int i = 0; i < Frames10k; i += framesPerFlush)
            {
                for (int k = 0; k < framesPerFlush; k++)
                {
                    if (!first.Network.Send(message, records))
                        Assert.Fail("lost");
                }
                first.Network.Flush();
                sent += framesPerFlush * frameLength;
                while (Volatile.Read(ref received) < sent)
                    Thread.Yield();
            }
        }
    }
}
