using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using RaftFast.Protocol;
using RaftFast.Server.Peers.Handshakes;
using RaftFast.Server.Peers.Links;

namespace RaftFast.Server.Peers.Joining;

/// <summary>
/// Answers handshakes for a node that doesn't know its cluster yet, and learns the cluster from the first one that is
/// meant for this node.
/// </summary>
internal sealed class FirstHandshakeHandler : ConnectionHandler
{
    private readonly ulong self;
    private readonly InboundHandshake handshakes;
    private readonly TaskCompletionSource<ulong> clusterId = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FirstHandshakeHandler(ulong self, ILogger logger, PeerOptions options)
    {
        this.self = self;
        handshakes = new InboundHandshake((shaken, version) => new(Judge(shaken, version)), logger, options);
    }

    /// <summary>
    /// The cluster's id. Completes when a handshake was answered with <see cref="HandshakeStatus.Joining"/>.
    /// </summary>
    public Task<ulong> ClusterId => clusterId.Task;

    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        var answered = await handshakes.AnswerAsync(
            connection.Transport.Input.AsStream(),
            connection.Transport.Output.AsStream(),
            connection.RemoteEndPoint,
            connection.ConnectionClosed);
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
