using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
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
