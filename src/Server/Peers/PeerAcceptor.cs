using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;

namespace RaftFast.Server.Peers;

/// <summary>The accepting side of peer connections: answers the handshake, then receives what the member sends.</summary>
internal sealed class PeerAcceptor : ConnectionHandler
{
    private readonly ulong self;
    private readonly ulong clusterId;
    private readonly List<InboundMember> members = [];
    private readonly Inbox inbox;
    private readonly ILogger logger;
    private readonly PeerOptions options;

    public PeerAcceptor(ulong self, ClusterConfiguration configuration, Inbox inbox, ILogger logger, PeerOptions options)
    {
        this.self = self;
        clusterId = configuration.ClusterId;
        this.inbox = inbox;
        this.logger = logger;
        this.options = options;
        foreach (Member member in configuration.Members)
        {
            if (member.Id != self)
                members.Add(new InboundMember(member.Id, options));
        }
    }

    public override Task OnConnectedAsync(ConnectionContext connection)
    {
        if (connection.Features.Get<IConnectionSocketFeature>() is { } transport)
            PeerSocket.Configure(transport.Socket, options);
        return ServeAsync(
            connection.Transport.Input,
            connection.Transport.Output.AsStream(),
            connection.RemoteEndPoint,
            connection.Abort,
            connection.ConnectionClosed);
    }

    /// <summary>Until the connection ends, for whatever reason; then the caller closes it.</summary>
    /// <param name="close">Closes it at once, from any thread.</param>
    /// <param name="stop">Ends it whatever it waits for, the loop too.</param>
    public async Task ServeAsync(PipeReader input, Stream output, EndPoint? remote, Action close, CancellationToken stop)
    {
        InboundMember? member = await ShakeHandsAsync(input.AsStream(leaveOpen: true), output, remote, stop);
        if (member is null)
            return;
        InboundConnection connection = new(member, input, close, inbox);
        using CancellationTokenRegistration registration =
            stop.UnsafeRegister(static connection => ((InboundConnection)connection!).End(), connection);
        await member.ReplaceAsync(connection);
        string? error = await connection.RunAsync();
        if (error is not null)
            PeerLog.Malformed(logger, member.Id, remote, error);
    }

    /// <returns>Who it is, or null when the connection was refused, timed out, or was no member's at all.</returns>
    private async Task<InboundMember?> ShakeHandsAsync(Stream input, Stream output, EndPoint? remote, CancellationToken stop)
    {
        using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(options.HandshakeTimeout);
        byte[] bytes = new byte[Handshake.Size];
        int length = 0;
        try
        {
            DecodeStatus decoded;
            Handshake handshake;
            uint version;
            while ((decoded = Handshake.TryRead(bytes.AsSpan(0, length), out handshake, out version)) == DecodeStatus.Incomplete)
            {
                int read = await input.ReadAsync(bytes.AsMemory(length), deadline.Token);
                if (read == 0)
                    return null;
                length += read;
            }
            if (decoded == DecodeStatus.Invalid)
            {
                PeerLog.NoHandshake(logger, remote, "what it sent is no handshake");
                return null;
            }
            HandshakeStatus status = Judge(handshake, version, out InboundMember? member);
            Handshake.WriteAnswer(bytes, status);
            await output.WriteAsync(bytes.AsMemory(0, Handshake.AnswerSize), deadline.Token);
            await output.FlushAsync(deadline.Token);
            if (status != HandshakeStatus.Accepted)
                PeerLog.Refused(logger, remote, status, handshake.From, handshake.ClusterId, version, handshake.To);
            return member;
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            PeerLog.NoHandshake(logger, remote, "no handshake in time");
            return null;
        }
        catch (Exception exception) when (PeerSocket.IsConnectionEnd(exception))
        {
            return null;
        }
    }

    private HandshakeStatus Judge(in Handshake handshake, uint version, out InboundMember? member)
    {
        member = null;
        if (version != Handshake.Version)
            return HandshakeStatus.UnsupportedVersion;
        if (handshake.ClusterId != clusterId)
            return HandshakeStatus.WrongCluster;
        if (handshake.To != self)
            return HandshakeStatus.WrongMember;
        foreach (InboundMember known in members)
        {
            if (known.Id == handshake.From)
                member = known;
        }
        return member is null ? HandshakeStatus.UnknownMember : HandshakeStatus.Accepted;
    }
}
