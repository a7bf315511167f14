using System.Buffers;
using System.IO.Pipelines;
using BenchmarkDotNet.Attributes;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Inbound;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;

namespace RaftFast.Bench;

/// <summary>
/// Measures a follower's connection thread on each record of an append. The thread reads bytes from a pipe, splits them
/// into frames, and verifies, posts and releases the frames.
/// </summary>
[MemoryDiagnoser]
public class FrameSplitBenchmarks
{
    /// <summary>
    /// Records in an operation. The smallest object has 24 bytes, so one object for all records does not round to 0.
    /// </summary>
    private const int Records = 16;

    private readonly Pipe pipe = new(new System.IO.Pipelines.PipeOptions(
        readerScheduler: PipeScheduler.Inline, writerScheduler: PipeScheduler.Inline,
        useSynchronizationContext: false));
    private readonly Inbox inbox = new(PeerOptions.InboxItemsPerPeer);
    private readonly object?[] taken = new object?[PeerOptions.InboxItemsPerPeer];
    private byte[] frames = [];
    private InboundConnection connection = null!;
    private Task<string?> receiving = null!;

    [Params(1, Records)]
    public int RecordsPerFrame { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        IEnumerable<int> numbers = Enumerable.Range(0, Records / RecordsPerFrame);
        frames = [.. numbers.SelectMany(i => AppendFrame(i * RecordsPerFrame, RecordsPerFrame))];
        InboundMember member = new(1, new PeerOptions());
        connection = new InboundConnection(member, pipe.Reader, pipe.Reader.CancelPendingRead, inbox, keep: null);
        receiving = connection.RunAsync();
    }

    [GlobalCleanup]
    public void Cleanup()
    {
        connection.End();
        receiving.Wait();
    }

    [Benchmark(OperationsPerInvoke = Records)]
    public void Receive()
    {
        pipe.Writer.Write(frames);
        ValueTask<FlushResult> flush = pipe.Writer.FlushAsync();
        // The reader runs inside FlushAsync, and posts the batch before it reads again.
        bool isPosted = flush.IsCompletedSuccessfully && inbox.Drain(taken) == 1;
        if (!isPosted || taken[0] is not PeerBatch batch || batch.Frames.Length != frames.Length)
            throw new InvalidOperationException("the frames were not taken");
        batch.Release();
    }

    private static byte[] AppendFrame(long previousIndex, int count)
    {
        byte[] records = [.. Enumerable.Range(1, count).SelectMany(i => Stamped(previousIndex + i))];
        byte[] frame = new byte[Frame.HeaderSize + records.Length];
        LogPosition previous = new(previousIndex == 0 ? 0 : 1, previousIndex);
        Message message = new() { Type = MessageType.Append, Term = 1, Position = previous, Count = count };
        Frame.WriteHeader(frame, message, records.Length);
        records.CopyTo(frame, Frame.HeaderSize);
        return frame;
    }

    private static byte[] Stamped(long index)
    {
        byte[] record = PutRecord.Of("/the-key", 64);
        Record.Stamp(record, new LogPosition(1, index));
        return record;
    }
}
