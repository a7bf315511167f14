using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Protocol;
using RaftFast.Server.Lifetime;
using RaftFast.Server.Node.Requests;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Sockets;

namespace RaftFast.Server.Peers.Joining;

/// <summary>How a server that joins learns which cluster it joins: from the first of its members that dials it.</summary>
internal static class FirstHandshake
{
    /// <summary>Each member of the largest cluster may dial, and so may some who are lost.</summary>
    private const int ConnectionsMax = PeerOptions.PeersMax;

    /// <summary>For the last answer to be handed to the kernel. Who has not said who it is by then dials again.</summary>
    private static readonly TimeSpan AnswerGrace = TimeSpan.FromMilliseconds(100);

    /// <summary>Listens on the server's own peer port, which is free again when this returns.</summary>
    /// <returns>The cluster's id.</returns>
    /// <exception cref="ListenException">It can't listen there.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> came first.</exception>
    public static async Task<ulong> WaitAsync(IPEndPoint listen, ulong self, ILogger logger, PeerOptions options, CancellationToken stop)
    {
        FirstHandshakeHandler handler = new(self, logger, options);
        IConnectionListener transport = await Listeners.BindPeerAsync(listen, NullLoggerFactory.Instance);
        Listener listener = new(transport, handler, ConnectionsMax, logger);
        try
        {
            return await handler.ClusterId.WaitAsync(stop);
        }
        finally
        {
            using CancellationTokenSource grace = new(AnswerGrace);
            await listener.StopAsync(grace.Token);
        }
    }
}

/// <summary>Answers handshakes of a server that doesn't know its cluster yet: the first that is meant for it tells.</summary>
internal sealed class FirstHandshakeHandler : ConnectionHandler
{
    private readonly ulong self;
    private readonly InboundHandshake handshakes;
    private readonly TaskCompletionSource<ulong> clusterId = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FirstHandshakeHandler(ulong self, ILogger logger, PeerOptions options)
    {
        this.self = self;
        handshakes = new InboundHandshake(Judge, logger, options);
    }

    /// <summary>Completes when a handshake has been answered with <see cref="HandshakeStatus.Joining"/>.</summary>
    public Task<ulong> ClusterId => clusterId.Task;

    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        var answered = await handshakes.AnswerAsync(
            connection.Transport.Input.AsStream(), connection.Transport.Output.AsStream(), connection.RemoteEndPoint, connection.ConnectionClosed);
        if (answered is (var handshake, HandshakeStatus.Joining))
            clusterId.TrySetResult(handshake.ClusterId);
    }

    private HandshakeStatus Judge(in Handshake handshake, uint version)
    {
        if (version != Handshake.Version)
            return HandshakeStatus.UnsupportedVersion;
        if (handshake.To != self)
            return HandshakeStatus.WrongMember;
        return handshake.From == 0 || handshake.From == self ? HandshakeStatus.UnknownMember : HandshakeStatus.Joining;
    }
}
