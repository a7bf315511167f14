using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Recovery;
using RaftFast.Server.Threads;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Peers.Snapshots;

/// <summary>
/// One connection that brings a snapshot: what comes goes to the disk, is loaded when all of it is there, and offered to the loop.
/// What a connection leaves unfinished, the next one goes on with.
/// </summary>
/// <param name="frames">Its first frame has been read: the file's header.</param>
/// <param name="close">Makes a pending read end.</param>
/// <param name="closed">The connection has been closed, by either side.</param>
internal sealed class SnapshotConnection(
    ulong from, SnapshotFrames frames, Stream output, Action close, SnapshotStore snapshots, Inbox inbox, ILogger logger, CancellationToken closed)
{
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool isEnding;

    public ulong From => from;

    /// <summary>Of the leader when it began to send.</summary>
    public long Term { get; } = frames.Message.Term;

    /// <summary>It touches neither the disk nor the loop from here on.</summary>
    public Task Ended => ended.Task;

    /// <summary>Any thread; <see cref="Ended"/> completes soon after.</summary>
    public void End()
    {
        isEnding = true;
        close();
    }

    public void HasEnded() => ended.TrySetResult();

    /// <summary>On a thread of its own: each part is on stable storage before the next is read.</summary>
    public void Run()
    {
        try
        {
            string? error = Receive();
            if (error is not null)
                PeerLogLines.SnapshotRejected(logger, from, error);
        }
        catch (Exception exception) when (exception is not StorageException && PeerSocket.IsConnectionEnd(exception))
        {
        }
    }

    /// <summary>Says how it stands; a connection that is gone doesn't matter.</summary>
    public void Answer(InstallStatus status, int chunks = 0)
    {
        try
        {
            Message answer = new() { Type = MessageType.InstallSnapshotResponse, Term = Term, Context = (long)status, Count = chunks };
            SnapshotFrames.Write(output, answer, default);
        }
        catch (Exception exception) when (PeerSocket.IsConnectionEnd(exception))
        {
        }
    }

    /// <returns>What was wrong with what came, or null.</returns>
    private string? Receive()
    {
        if (isEnding)
            return null;
        using PartialSnapshot? receiver = snapshots.TryReceive(frames.Image, out PartialSnapshotStatus status);
        if (receiver is null)
            return Refuse(status);
        PeerLogLines.SnapshotComes(logger, receiver.Position.Index, from, receiver.Chunks);
        Answer(InstallStatus.Continue, receiver.Chunks);
        while (!receiver.IsComplete)
        {
            if (isEnding)
                return null;
            bool isFrame = frames.TryReadAsync(MessageType.InstallSnapshot, CancellationToken.None).GetAwaiter().GetResult();
            status = isFrame ? receiver.Append(frames.Image) : PartialSnapshotStatus.Invalid;
            if (status is not (PartialSnapshotStatus.Incomplete or PartialSnapshotStatus.Complete))
                return Refuse(status);
        }
        return Load(receiver);
    }

    private string? Refuse(PartialSnapshotStatus status)
    {
        switch (status)
        {
            case PartialSnapshotStatus.Stale:
                Answer(InstallStatus.NotWanted);
                return null;
            case PartialSnapshotStatus.DiskFull:
                Answer(InstallStatus.DiskFull);
                return "the disk has no room for it; free some space";
            default:
                // Not worth an answer: the sender dials again, and goes on behind what is there.
                close();
                return "a part of it is damaged, malformed or out of order";
        }
    }

    private string? Load(PartialSnapshot receiver)
    {
        using SnapshotReader reader = receiver.Read();
        using SnapshotLoader loader = new(reader);
        if (reader.Damage is null && loader.Configuration is null)
        {
            Answer(InstallStatus.NotWanted);
            return "it holds no configuration of a cluster";
        }
        SnapshotReadStatus status;
        while ((status = loader.Step()) == SnapshotReadStatus.Chunk)
        {
            if (isEnding || closed.IsCancellationRequested)
                return null;
        }
        if (status == SnapshotReadStatus.Damaged)
        {
            close();
            return reader.Damage;
        }
        Offer(new OfferedSnapshot(from, Term, receiver, loader.Configuration!.Value, loader.Take()));
        return null;
    }

    /// <summary>The loop takes its time: it may have to wait for the log's next segment.</summary>
    private void Offer(OfferedSnapshot received)
    {
        inbox.Post(received);
        try
        {
            received.Decision.Wait(closed);
        }
        catch (OperationCanceledException)
        {
            // The sender is gone, or this process stops; unless the loop is at it just now, nobody waits for the end any more.
            if (received.TryClaim())
            {
                received.Store.Dispose();
                return;
            }
        }
        bool isInstalled = received.Decision.GetAwaiter().GetResult();
        if (!isInstalled)
            received.Store.Dispose();
        Answer(isInstalled ? InstallStatus.Installed : InstallStatus.NotWanted);
    }
}
