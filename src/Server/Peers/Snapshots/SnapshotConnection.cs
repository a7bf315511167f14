using System.Globalization;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Logging;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Recovery;
using RaftFast.Server.Threads;
using RaftFast.Storage.Disk;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Peers.Snapshots;

/// <summary>
/// One connection that carries a snapshot. Writes the received chunks to the disk. When the snapshot is complete, loads
/// it, makes its file this member's newest, and offers it to the loop. The next connection continues an unfinished
/// snapshot.
/// </summary>
/// <param name="frames">
/// Frames of the connection. The first frame, with the file's header, has been read already.
/// </param>
/// <param name="close">Ends a pending read.</param>
/// <param name="work">Notes each piece of work on the disk, for a watcher on another thread.</param>
/// <param name="closed">Cancelled when either side has closed the connection.</param>
internal sealed class SnapshotConnection(
    ulong from, SnapshotFrames frames, Stream output, Action close,
    SnapshotPlace place, SnapshotStore snapshots, DiskWork work, Inbox inbox, ILogger logger, PeerOptions options,
    CancellationToken closed)
{
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool isEnding;
    private long received;

    public ulong From => from;

    /// <summary>Bytes of the snapshot's file so far, with those from earlier connections. Any thread.</summary>
    public long Received => Volatile.Read(ref received);

    /// <summary>Term in which the leader began to send.</summary>
    public long Term { get; } = frames.Message.Term;

    /// <summary>The snapshot that this connection has offered to the loop; null before.</summary>
    public OfferedSnapshot? Offered { get; private set; }

    /// <summary>Completes once the connection uses neither the disk nor the loop any more.</summary>
    public Task Ended => ended.Task;

    /// <summary>Ends the connection, from any thread. <see cref="Ended"/> completes soon after.</summary>
    public void End()
    {
        isEnding = true;
        close();
    }

    public void HasEnded() => ended.TrySetResult();

    /// <summary>
    /// Receives the snapshot, on a thread of its own. Each chunk is on stable storage before the next one is read.
    /// </summary>
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

    /// <summary>Sends the status. Does nothing if the connection has ended.</summary>
    public void Answer(InstallStatus status, int chunks = 0)
    {
        try
        {
            Message answer = new()
            {
                Type = MessageType.InstallSnapshotResponse,
                Term = Term,
                Context = (long)status,
                Count = chunks,
            };
            SnapshotFrames.Write(output, answer, default);
        }
        catch (Exception exception) when (PeerSocket.IsConnectionEnd(exception))
        {
        }
    }

    /// <returns>The fault of the received bytes, or null.</returns>
    private string? Receive()
    {
        if (isEnding)
            return null;
        work.Begin();
        using PartialSnapshot? receiver =
            snapshots.TryReceive(frames.Image, out PartialSnapshotStatus status, verified: work.Begin);
        work.End();
        if (receiver is null)
            return Refuse(status);
        PeerLogLines.SnapshotComes(logger, receiver.Position.Index, from, receiver.Chunks);
        Answer(InstallStatus.Continue, receiver.Chunks);
        ProgressLine progress = new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"receiving the snapshot up to entry {receiver.Position.Index} from member {from}"),
            TimeProvider.System);
        while (!receiver.IsComplete)
        {
            if (isEnding)
                return null;
            bool isFrame =
                frames.TryReadAsync(MessageType.InstallSnapshot, CancellationToken.None).GetAwaiter().GetResult();
            work.Begin();
            status = isFrame ? receiver.Append(frames.Image) : PartialSnapshotStatus.Invalid;
            work.End();
            if (status is not (PartialSnapshotStatus.Incomplete or PartialSnapshotStatus.Complete))
                return Refuse(status);
            place.Progress(Environment.TickCount64);
            Volatile.Write(ref received, receiver.Bytes);
            progress.Write(logger, receiver.Bytes, frames.Message.Context);
        }
        place.Complete();
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
                return "the disk has no room for the snapshot; free some space";
            default:
                // Needs no answer: the sender dials again, and continues after the chunks that are stored.
                close();
                return "a chunk is damaged, malformed or out of order";
        }
    }

    private string? Load(PartialSnapshot receiver)
    {
        using SnapshotReader reader = receiver.Read();
        if (!AwaitMemory(reader.FileBytes))
            return null;
        using SnapshotLoader loader = new(reader);
        if (reader.Damage is null && loader.Configuration is null)
        {
            Answer(InstallStatus.NotWanted);
            return "the snapshot holds no configuration of a cluster";
        }
        ProgressLine progress = new($"loading the snapshot from member {from}", TimeProvider.System);
        SnapshotReadStatus status;
        do
        {
            if (isEnding || closed.IsCancellationRequested)
                return null;
            work.Begin();
            status = loader.Step();
            work.End();
            progress.Write(logger, loader.Entries, loader.EntriesInAll);
        }
        while (status == SnapshotReadStatus.Chunk);
        if (status == SnapshotReadStatus.Damaged)
        {
            close();
            return reader.Damage;
        }
        SnapshotConfiguration configuration = loader.Configuration!.Value;
        configuration.MustBeCoveredBy(receiver.Position);
        // Publish on this thread: a rename, two syncs of the directory and the deletion of gigabytes would delay the
        // loop.
        work.Begin();
        SnapshotPublishStatus published = receiver.Publish();
        work.End();
        if (published != SnapshotPublishStatus.Published)
        {
            return Refuse(published == SnapshotPublishStatus.DiskFull
                ? PartialSnapshotStatus.DiskFull
                : PartialSnapshotStatus.Stale);
        }
        Offer(new OfferedSnapshot(from, receiver.Position, receiver.Bytes, configuration, loader.Take()));
        return null;
    }

    /// <summary>
    /// Waits until the state has room beside the present one. The sender waits meanwhile, so nothing is sent again.
    /// </summary>
    /// <param name="fileBytes">Bytes of the snapshot, a little less than its state needs in memory.</param>
    /// <returns>False if the connection has ended.</returns>
    private bool AwaitMemory(long fileBytes)
    {
        long needed = fileBytes + (fileBytes / 4);
        for (bool isFirst = true; options.FreeMemory() < needed; isFirst = false)
        {
            if (isFirst)
                PeerLogLines.SnapshotLacksMemory(logger, from, needed, options.FreeMemory());
            if (isEnding || closed.WaitHandle.WaitOne(options.FreeMemoryPeriod))
                return false;
        }
        return true;
    }

    /// <summary>
    /// Offers the snapshot to the loop and waits. The loop may have to wait for the log's next segment, and decides
    /// even if the sender is gone.
    /// </summary>
    private void Offer(OfferedSnapshot offered)
    {
        Offered = offered;
        inbox.Post(offered);
        try
        {
            offered.Decision.Wait(closed);
        }
        catch (OperationCanceledException)
        {
            return;
        }
        Answer(offered.Decision.Result ? InstallStatus.Installed : InstallStatus.NotWanted);
    }
}
