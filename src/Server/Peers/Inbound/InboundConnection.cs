using System.Buffers;
using System.IO.Pipelines;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Inbound;

/// <summary>
/// An accepted connection of a member, after its handshake: receives into the member's batches, verifies each frame here,
/// off the loop thread, and posts what is whole. With both batches at the loop it does not read: TCP passes that on to the sender.
/// </summary>
/// <param name="close">Makes a pending read of <paramref name="input"/> end.</param>
internal sealed class InboundConnection(InboundMember member, PipeReader input, Action close, Inbox inbox)
{
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool ending;

    /// <summary>It posts nothing from here on.</summary>
    public Task Ended => ended.Task;

    /// <summary>Any thread; <see cref="Ended"/> completes soon after.</summary>
    public void End()
    {
        ending = true;
        close();
        member.Wake.Set();
    }

    /// <returns>What was wrong with what came, or null when the connection just ended.</returns>
    public async Task<string?> RunAsync()
    {
        PeerBatch? batch = member.TryTakeBatch();
        try
        {
            int length = 0;
            while (!ending)
            {
                if (batch is null)
                {
                    await member.Wake.WaitAsync();
                    batch = member.TryTakeBatch();
                    continue;
                }
                ReadResult read = await input.ReadAsync(); // not through a Stream over it, which allocates at each read that waits
                int received = Take(read.Buffer, batch.Buffer.AsSpan(length));
                length += received;
                string? error = Verify(batch.Buffer.AsSpan(0, length), out int wholeLength, out int nextLength);
                if (received == 0 || error is not null)
                    return error;
                if (wholeLength == 0)
                {
                    batch.EnsureCapacity(nextLength, length);
                    continue;
                }
                PeerBatch full = batch;
                full.Complete(wholeLength);
                batch = null;
                inbox.PostAndRun(full, Inbox.SocketThreadBatchesMax);
                while (!ending && (batch = member.TryTakeBatch()) is null)
                    await member.Wake.WaitAsync();
                length -= wholeLength;
                batch?.Begin(full.Buffer.AsSpan(wholeLength, length), nextLength);
            }
        }
        catch (Exception exception) when (PeerSocket.IsConnectionEnd(exception))
        {
        }
        finally
        {
            batch?.Release();
            ended.TrySetResult();
        }
        return null;
    }

    private int Take(in ReadOnlySequence<byte> received, Span<byte> destination)
    {
        int length = (int)Math.Min(received.Length, destination.Length);
        ReadOnlySequence<byte> taken = received.Slice(0, length);
        taken.CopyTo(destination);
        input.AdvanceTo(taken.End);
        return length;
    }

    /// <param name="wholeLength">Bytes of the whole frames at the start.</param>
    /// <param name="nextLength">Bytes of the frame behind them, as far as is known.</param>
    /// <returns>What is wrong, or null.</returns>
    private static string? Verify(ReadOnlySpan<byte> received, out int wholeLength, out int nextLength)
    {
        wholeLength = 0;
        while (true)
        {
            ReadOnlySpan<byte> rest = received[wholeLength..];
            DecodeStatus status = Frame.TryReadHeader(rest, out Message message, out int recordsLength);
            nextLength = Frame.HeaderSize + recordsLength;
            if (status == DecodeStatus.Invalid)
                return "a frame header is damaged or malformed";
            if (message.Type is MessageType.InstallSnapshot or MessageType.InstallSnapshotResponse)
                return "a snapshot has no place among messages";
            if (status == DecodeStatus.Incomplete || rest.Length < nextLength)
                return null;
            if (!Frame.RecordsAreValid(message, rest[Frame.HeaderSize..nextLength]))
                return $"the records of a frame of type {message.Type} are damaged, malformed or out of order";
            wholeLength += nextLength;
        }
    }
}
