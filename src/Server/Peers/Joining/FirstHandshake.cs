using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Server.Peers.Links;
using RaftFast.Server.Sockets;

namespace RaftFast.Server.Peers.Joining;

/// <summary>Learns which cluster a joining node joins: the cluster of the first member that dials the node.</summary>
internal static class FirstHandshake
{
    /// <summary>Every member of the largest cluster may dial, and so may some nodes of other clusters.</summary>
    private const int ConnectionsMax = PeerOptions.PeersMax;

    /// <summary>
    /// Time to hand the last answer to the kernel. A peer whose handshake is not complete by then dials again.
    /// </summary>
    private static readonly TimeSpan AnswerGrace = TimeSpan.FromMilliseconds(100);

    /// <summary>Listens on the node's own peer port, which is free again when this returns.</summary>
    /// <returns>The cluster's id.</returns>
    /// <exception cref="ListenException">The address can't be listened on.</exception>
    /// <exception cref="OperationCanceledException"><paramref name="stop"/> came first.</exception>
    public static async Task<ulong> WaitAsync(
        IPEndPoint listen, ulong self, ILogger logger, PeerOptions options, CancellationToken stop)
    {
        FirstHandshakeHandler handler = new(self, logger, options);
        SocketListener transport = Listeners.BindPeer(listen, NullLogger.Instance);
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
