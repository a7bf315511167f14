using System.IO.Pipelines;
using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Peers.Snapshots;

/// <summary>
/// Accepts connections that carry a snapshot, one at a time. If both are from the same leader, a newer connection ends
/// the older one, which the leader has lost. A newer connection from the leader of a later term ends the older one too.
/// </summary>
internal sealed class SnapshotAcceptor(
    PeerAdmission admission, SnapshotStore snapshots, Inbox inbox, ILogger logger, PeerOptions options)
{
    private readonly Lock gate = new();
    private SnapshotConnection? current;

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
        SnapshotConnection connection = new(from, frames, output, close, snapshots, inbox, logger, options, closed);
        if (!await TryEnterAsync(connection))
        {
            connection.Answer(InstallStatus.Busy);
        }
        else
        {
            try
            {
                await BackgroundTask.StartThread(ThreadNames.InstallSnapshot, connection.Run);
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

    /// <returns>False if the current connection stays instead.</returns>
    private async Task<bool> TryEnterAsync(SnapshotConnection connection)
    {
        SnapshotConnection? older;
        lock (gate)
        {
            older = current;
            if (older is not null && older.From != connection.From && older.Term >= connection.Term)
                return false;
            current = connection;
            if (admission.WasRemoved(connection.From))
                connection.End();
        }
        older?.End();
        await (older?.Ended ?? Task.CompletedTask);
        return true;
    }

    private void Leave(SnapshotConnection connection)
    {
        connection.HasEnded();
        lock (gate)
        {
            if (current == connection)
                current = null;
        }
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
