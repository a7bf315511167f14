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
/// enter ends the older connection: the sender has lost the older connection, or that connection is silent.
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
    /// The loop's decision on the last offered snapshot. The next connection waits for this decision, so that one
    /// snapshot at a time is in the inbox.
    /// </summary>
    private Task decided = Task.CompletedTask;

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
            new(from, frames, output, close, place, snapshots, inbox, logger, options, closed);
        bool isAccepted = acceptance.IsBy(from);
        Task isFree = Task.CompletedTask;
        if (!isAccepted || !TryEnter(connection, snapshots.MatchPartial(frames.Image), out isFree))
        {
            PeerLogLines.SnapshotIsPutOff(
                logger, from,
                isAccepted ? "another one is being received" : "that member has not accepted this directory yet");
            connection.Answer(InstallStatus.Busy);
        }
        else
        {
            try
            {
                await isFree.WaitAsync(closed);
                await BackgroundTask.StartThread(ThreadNames.InstallSnapshot, connection.Run);
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

    /// <param name="isFree">Completes when the older connection has ended, and its snapshot is decided on.</param>
    /// <returns>False if another sender has the place.</returns>
    private bool TryEnter(SnapshotConnection connection, PartialSnapshotMatch partial, out Task isFree)
    {
        SnapshotConnection? older;
        lock (gate)
        {
            long now = Environment.TickCount64;
            isFree = Task.CompletedTask;
            if (!place.MayEnter(connection.From, partial, now))
                return false;
            place.Enter(connection.From, now);
            older = current;
            current = connection;
            if (admission.WasRemoved(connection.From))
                connection.End();
        }
        older?.End();
        isFree = FreeAsync(older);
        return true;
    }

    private async Task FreeAsync(SnapshotConnection? older)
    {
        await (older?.Ended ?? Task.CompletedTask);
        await decided;
    }

    private void Leave(SnapshotConnection connection)
    {
        lock (gate)
        {
            if (connection.Offered is { } offered)
                decided = offered.Decision;
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
