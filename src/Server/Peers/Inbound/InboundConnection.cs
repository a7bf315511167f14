using System.Buffers;
using System.IO.Pipelines;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Peers.Inbound;

/// <summary>
/// An accepted connection of a peer, after its handshake. Receives into the peer's batches, verifies each frame on this
/// thread rather than in the loop, and posts whole frames. While the loop has both batches, the connection does not
/// read, so that TCP holds the sender back.
/// </summary>
/// <param name="close">Ends a pending read of <paramref name="input"/>.</param>
internal sealed class InboundConnection(
    InboundMember member, PipeReader input, Action close, Inbox inbox, Func<Task<bool>>? keep)
{
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool ending;

    /// <summary>Completes when the connection has ended and posts nothing more.</summary>
    public Task Ended => ended.Task;

    /// <summary>Ends the connection, from any thread. <see cref="Ended"/> completes soon after.</summary>
    public void End()
    {
        ending = true;
        close();
        member.Wake.Set();
    }

    /// <summary>Receives until the connection ends.</summary>
    /// <returns>The fault of the received bytes, or null if the connection ended without a fault.</returns>
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
                // Read from the pipe: a Stream would allocate for each read that waits.
                ReadResult read = await input.ReadAsync();
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
                if (keep is not null && HasPromise(batch.Buffer.AsSpan(0, wholeLength)))
                {
                    if (!await keep())
                        return "its data directory is not the recorded one, or can't be recorded";
                    keep = null;
                }
                // A signal that waits for the loop occupies one place. The end of this connection must not be reported
                // at the place of an earlier end, before the frames of this connection.
                while (!ending && member.AnswersLost.IsWaiting)
                    await member.Wake.WaitAsync();
                if (ending)
                    break;
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
            // Post this after the last frames of this connection, and before the first frames of the next connection.
            inbox.Post(member.AnswersLost);
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

    /// <summary>
    /// True if the loop may count a vote or an acknowledgement of these frames, or give a vote for one of them.
    /// </summary>
    /// <param name="frames">Whole frames.</param>
    private static bool HasPromise(ReadOnlySpan<byte> frames)
    {
        while (!frames.IsEmpty)
        {
            Frame.TryReadHeader(frames, out Message message, out int recordsLength);
            if (Promises.Has(message))
                return true;
            frames = frames[(Frame.HeaderSize + recordsLength)..];
        }
        return false;
    }

    /// <param name="wholeLength">Bytes of the whole frames at the start.</param>
    /// <param name="nextLength">Bytes of the frame after them, as far as they are known.</param>
    /// <returns>The fault, or null.</returns>
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
