using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Node;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Peers.Snapshots;
using RaftFast.Server.Threads;
using RaftFast.Storage.Snapshots;

namespace RaftFast.Server.Peers.Inbound;

/// <summary>The accepting side of peer connections: answers the handshake, then receives the peer's frames.</summary>
internal sealed class PeerAcceptor(
    PeerAdmission admission, Acceptance acceptance, SnapshotStore snapshots, Inbox inbox, ILogger logger,
    PeerOptions options)
    : ConnectionHandler
{
    private readonly InboundHandshake handshakes = new(admission.JudgeAsync, logger, options);
    private readonly SnapshotAcceptor inboundSnapshots =
        new(admission, acceptance, snapshots, inbox, logger, options);
    private readonly PendingHandshakes pending = new(options.HandshakesMax);
    private readonly Lock gate = new();

    /// <summary>
    /// Peers that were admitted since the process started and are not removed. The admission bounds their number.
    /// </summary>
    private readonly Dictionary<ulong, InboundMember> members = [];

    /// <summary>
    /// Ends the connections of the members that are removed in <paramref name="committed"/>. A removed member that
    /// dials again is told so. Called on any thread.
    /// </summary>
    public void Update(ClusterConfiguration committed)
    {
        admission.Update(committed);
        inboundSnapshots.EndRemoved();
        lock (gate)
        {
            foreach (InboundMember member in members.Values)
            {
                if (committed.WasRemoved(member.Id) && members.Remove(member.Id))
                    member.End();
            }
        }
    }

    /// <inheritdoc cref="SnapshotAcceptor.ReceivedBytes"/>
    public long ReceivedSnapshotBytes => inboundSnapshots.ReceivedBytes;

    /// <summary>True while a write of a received snapshot does not return. Any thread.</summary>
    public bool ReceivingHangs => inboundSnapshots.Work.Time >= options.SnapshotWorkMax;

    /// <summary>Connections whose handshake is not complete.</summary>
    public PendingHandshakes Pending => pending;

    /// <summary>Bytes of the buffers for this peer's frames. Any thread.</summary>
    public long BufferBytesOf(ulong peer)
    {
        lock (gate)
            return members.TryGetValue(peer, out InboundMember? member) ? member.BufferBytes : 0;
    }

    /// <summary>Last announcement of this peer; null if there was none. Any thread.</summary>
    public Announcement? AnnouncementOf(ulong peer)
    {
        lock (gate)
            return members.TryGetValue(peer, out InboundMember? member) ? member.ForOperators : null;
    }

    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        try
        {
            if (connection.Features.Get<IConnectionSocketFeature>() is { } transport)
                PeerSocket.Configure(transport.Socket, options);
        }
        catch (Exception exception) when (PeerSocket.IsConnectionEnd(exception))
        {
            // The connection ended, or was aborted because the process stops, before its turn came.
            return Task.CompletedTask;
        }
        return ServeAsync(
            connection.Transport.Input,
            connection.Transport.Output.AsStream(),
            connection.RemoteEndPoint,
            connection.Abort,
            connection.ConnectionClosed);
    }

    /// <summary>Serves the connection until it ends for any reason; then the caller closes it.</summary>
    /// <param name="close">Closes the connection at once, from any thread.</param>
    /// <param name="stop">Ends every wait of the connection, including waits for the loop.</param>
    public async Task ServeAsync(
        PipeReader input, Stream output, EndPoint? remote, Action close, CancellationToken stop)
    {
        if (await AnswerAsync(input, output, remote, close, stop) is not { } handshake)
            return;
        if (handshake.Kind == ConnectionKind.Snapshot)
        {
            await inboundSnapshots.ServeAsync(handshake.From, input, output, remote, close, stop);
            return;
        }
        if (Enter(handshake.From) is not { } member)
            return;
        if (handshake.Kind == ConnectionKind.Hint)
        {
            Announce(member, handshake);
            return;
        }
        Func<Task<bool>>? keep = handshake.HasPromised
            ? null
            : () => admission.KeepAsync(handshake.From, handshake.Directory);
        InboundConnection connection = new(member, input, close, inbox, keep);
        using CancellationTokenRegistration registration =
            stop.UnsafeRegister(static connection => ((InboundConnection)connection!).End(), connection);
        await member.ReplaceAsync(connection);
        Announce(member, handshake);
        string? error = await connection.RunAsync();
        if (error is not null)
            PeerLogLines.Malformed(logger, member.Id, remote, error);
    }

    private void Announce(InboundMember member, in Handshake handshake)
    {
        member.ForOperators = handshake.Announced;
        member.Announced.Address = handshake.Address;
        member.Announced.CommandVersion = handshake.CommandVersion;
        inbox.Post(member.Announced);
    }

    /// <returns>Null if the connection has ended, or its handshake was refused.</returns>
    private async Task<Handshake?> AnswerAsync(
        PipeReader input, Stream output, EndPoint? remote, Action close, CancellationToken stop)
    {
        LinkedListNode<Action> place = pending.Enter(close);
        try
        {
            var answered = await handshakes.AnswerAsync(input.AsStream(leaveOpen: true), output, remote, stop);
            return answered is (var handshake, HandshakeStatus.Accepted) ? handshake : null;
        }
        finally
        {
            pending.Leave(place);
        }
    }

    /// <returns>Null for a member that was removed during its handshake.</returns>
    private InboundMember? Enter(ulong id)
    {
        lock (gate)
        {
            if (admission.WasRemoved(id))
                return null;
            if (!members.TryGetValue(id, out InboundMember? member))
            {
                ForgetStrangers();
                members.Add(id, member = new InboundMember(id, options));
            }
            return member;
        }
    }

    /// <summary>Ends the connections of strangers that gave their places to others.</summary>
    private void ForgetStrangers()
    {
        if (members.Count < PeerOptions.PeersMax)
            return;
        foreach (InboundMember member in members.Values)
        {
            if (!admission.IsKnown(member.Id) && members.Remove(member.Id))
                member.End();
        }
    }
}
