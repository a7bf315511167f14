using System.IO.Pipelines;
using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Peers.Snapshots;

/// <summary>
/// Accepts connections that carry a snapshot, one at a time (<see cref="SnapshotPlace"/>). A newer connection that may
/// enter ends the older connection: the sender has lost the older connection, or that connection is silent. The newer
/// connection waits until the older one has left the files, and is put off if this takes long: a write may not return.
/// </summary>
internal sealed class SnapshotAcceptor(
    PeerAdmission admission, Acceptance acceptance, SnapshotStore snapshots, Inbox inbox, ILogger logger,
    PeerOptions options)
{
    private readonly Lock gate = new();

    private readonly SnapshotPlace place =
        new((long)options.SnapshotSilenceMax.TotalMilliseconds, Environment.TickCount64);

    private SnapshotConnection? current;

    /// <summary>
    /// Completes when the last connection that has taken the files has ended, and the loop has decided on its snapshot.
    /// So one connection at a time touches the files, and one snapshot at a time is in the inbox.
    /// </summary>
    private Task free = Task.CompletedTask;

    /// <summary>Bytes of the snapshot that is being received so far; 0 while none is. Any thread.</summary>
    public long ReceivedBytes
    {
        get
        {
            lock (gate)
                return current?.Received ?? 0;
        }
    }

    /// <summary>Work of the connection that has the files.</summary>
    public DiskWork Work { get; } = new("a write of a received snapshot");

    /// <summary>Serves a connection after its handshake, until it ends; then the caller closes it.</summary>
    public async Task ServeAsync(
        ulong from, PipeReader input, Stream output, EndPoint? remote, Action close, CancellationToken closed)
    {
        Stream stream = input.AsStream(leaveOpen: true);
        SnapshotFrames frames = new(stream);
        try
        {
            using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(closed);
            deadline.CancelAfter(options.HandshakeTimeout);
            if (!await frames.TryReadAsync(MessageType.InstallSnapshot, deadline.Token))
            {
                PeerLogLines.Malformed(logger, from, remote, "it does not begin with a snapshot");
                return;
            }
        }
        catch (Exception exception) when (PeerSocket.IsConnectionEnd(exception))
        {
            return;
        }
        SnapshotConnection connection =
            new(from, frames, output, close, place, snapshots, Work, inbox, logger, options, closed);
        bool isAccepted = acceptance.IsBy(from);
        Task isFree = Task.CompletedTask;
        if (!isAccepted || !TryEnter(connection, snapshots.MatchPartial(frames.Image), out isFree))
        {
            PutOff(
                connection,
                isAccepted ? "another one is being received" : "that member has not accepted this directory yet");
        }
        else
        {
            try
            {
                await isFree.WaitAsync(options.SnapshotEntryMax, closed);
                if (!TryTakeFiles(connection))
                    return;
                await RunAsync(connection);
            }
            catch (TimeoutException)
            {
                PutOff(connection, "the one before it is not decided on yet, or a write of it does not return");
            }
            catch (OperationCanceledException)
            {
                return;
            }
            finally
            {
                Leave(connection);
            }
        }
        await DrainAsync(input);
    }

    /// <summary>Ends the connection if its sender is removed.</summary>
    public void EndRemoved()
    {
        lock (gate)
        {
            if (current is not null && admission.WasRemoved(current.From))
                current.End();
        }
    }

    /// <param name="isFree"><see cref="free"/>, as it is when the connection has entered.</param>
    /// <returns>False if another sender has the place.</returns>
    private bool TryEnter(SnapshotConnection connection, PartialSnapshotMatch partial, out Task isFree)
    {
        SnapshotConnection? older;
        lock (gate)
        {
            long now = Environment.TickCount64;
            isFree = free;
            if (!place.MayEnter(connection.From, partial, now))
                return false;
            place.Enter(connection.From, now);
            older = current;
            current = connection;
            if (admission.WasRemoved(connection.From))
                connection.End();
        }
        older?.End();
        return true;
    }

    /// <returns>False if a newer connection has entered meanwhile.</returns>
    private bool TryTakeFiles(SnapshotConnection connection)
    {
        lock (gate)
        {
            if (current != connection)
                return false;
            bool hasFiles = place.TryTakeFiles();
            Invariant.Hold(hasFiles);
            free = FreeAsync(connection);
            return true;
        }
    }

    private static async Task FreeAsync(SnapshotConnection connection)
    {
        await connection.Ended;
        await (connection.Offered?.Decision ?? Task.CompletedTask);
    }

    /// <summary>
    /// Receives the snapshot. If a piece of work on the files does not return, says so and ends the connection, whose
    /// sender then lets go of its file.
    /// </summary>
    private async Task RunAsync(SnapshotConnection connection)
    {
        Task run = BackgroundTask.StartThread(ThreadNames.InstallSnapshot, connection.Run);
        bool hangs = false;
        try
        {
            while (await Task.WhenAny(run, Task.Delay(options.SnapshotWorkMax / 4)) != run)
            {
                if (hangs || Work.Time < options.SnapshotWorkMax)
                    continue;
                hangs = true;
                PeerLogLines.SnapshotWorkHangs(logger, connection.From);
                connection.End();
            }
            await run;
        }
        finally
        {
            lock (gate)
                place.ReturnFiles();
        }
        if (hangs)
            PeerLogLines.SnapshotWorkReturns(logger, connection.From);
    }

    private void PutOff(SnapshotConnection connection, string reason)
    {
        PeerLogLines.SnapshotIsPutOff(logger, connection.From, reason);
        connection.Answer(InstallStatus.Busy);
    }

    private void Leave(SnapshotConnection connection)
    {
        lock (gate)
        {
            if (current == connection)
            {
                current = null;
                place.Leave(Environment.TickCount64);
            }
        }
        connection.HasEnded();
    }

    /// <summary>
    /// Reads until the peer has closed. If this side closed first, with bytes unread, TCP would reset the connection,
    /// and the answer would be lost.
    /// </summary>
    private async Task DrainAsync(PipeReader input)
    {
        using CancellationTokenSource deadline = new(options.HandshakeTimeout);
        try
        {
            ReadResult read;
            do
            {
                read = await input.ReadAsync(deadline.Token);
                input.AdvanceTo(read.Buffer.End);
            }
            while (!read.IsCompleted);
        }
        catch (Exception exception) when (PeerSocket.IsConnectionEnd(exception))
        {
        }
    }
}
