using System.IO.Pipelines;
using System.Net;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Threads;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Peers.Snapshots;

/// <summary>
/// The connections that bring a snapshot: one at a time. A newer one ends the older one if it is from the same leader, which has lost
/// that connection, or from a later one, for whom the older one's leader leads no more.
/// </summary>
internal sealed class SnapshotAcceptor(PeerAdmission admission, SnapshotStore snapshots, Inbox inbox, ILogger logger, PeerOptions options)
{
    private readonly Lock gate = new();
    private SnapshotConnection? current;

    /// <summary>Until the connection, whose handshake is over, ends; then the caller closes it.</summary>
    public async Task ServeAsync(ulong from, PipeReader input, Stream output, EndPoint? remote, Action close, CancellationToken closed)
    {
        Stream stream = input.AsStream(leaveOpen: true);
        SnapshotFrames frames = new(stream);
        try
        {
            using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(closed);
            deadline.CancelAfter(options.HandshakeTimeout);
            if (!await frames.TryReadAsync(MessageType.InstallSnapshot, deadline.Token))
            {
                PeerLogLines.Malformed(logger, from, remote, "it doesn't begin with a snapshot");
                return;
            }
        }
        catch (Exception exception) when (PeerSocket.IsConnectionEnd(exception))
        {
            return;
        }
        SnapshotConnection connection = new(from, frames, output, close, snapshots, inbox, logger, closed);
        if (!await TryEnterAsync(connection))
        {
            connection.Answer(InstallStatus.Busy);
        }
        else
        {
            try
            {
                await BackgroundTask.StartThread("raftfast-install", connection.Run);
            }
            finally
            {
                Leave(connection);
            }
        }
        await DrainAsync(input);
    }

    /// <summary>Who is removed sends nothing more.</summary>
    public void EndRemoved()
    {
        lock (gate)
        {
            if (current is not null && admission.WasRemoved(current.From))
                current.End();
        }
    }

    /// <returns>False when another is as good.</returns>
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

    /// <summary>Until the other side has closed: closing before it with bytes unread would reset the connection, and the answer be lost.</summary>
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
