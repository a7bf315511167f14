using System.Net.Sockets;
using RaftFast.Server.Peers.Links;

namespace RaftFast.Server.Peers.Outbound;

/// <summary>
/// A connection to a peer that accepted the handshake. Ends when either side closes it, when it breaks, or when
/// <see cref="End"/> is called. The first of these is the reason.
/// </summary>
internal sealed class OutboundConnection(NetworkStream stream, SendRing ring)
{
    private readonly TaskCompletionSource<string> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SendRing Ring { get; } = ring;

    /// <summary>Ends the connection, from any thread.</summary>
    public void End(string reason) => ended.TrySetResult(reason);

    /// <summary>Sends the bytes written to the ring, until the connection ends.</summary>
    /// <returns>
    /// The reason for the end. Afterwards only the loop touches the ring's memory, and its writes are not sent.
    /// </returns>
    public async Task<string> RunAsync(CancellationToken stop)
    {
        using CancellationTokenRegistration registration = stop.UnsafeRegister(
            static self => ((OutboundConnection)self!).End("this node ended the connection"), this);
        Task sending = SendAsync();
        Task watching = WatchAsync();
        string reason = await ended.Task;
        Ring.Close();
        await stream.DisposeAsync();
        await Task.WhenAll(sending, watching);
        return reason;
    }

    private async Task SendAsync()
    {
        try
        {
            await Ring.SendAsync(stream);
        }
        catch (Exception exception) when (PeerSocket.IsConnectionEnd(exception))
        {
            End(PeerSocket.Reason(exception));
        }
        finally
        {
            // End the connection after a bug too, so that RunAsync continues and throws the exception.
            End("this node no longer sends");
        }
    }

    /// <summary>
    /// Waits for the end of the connection. The peer never sends on this connection, so a read ends only with the
    /// connection.
    /// </summary>
    private async Task WatchAsync()
    {
        try
        {
            int read = await stream.ReadAsync(new byte[1]);
            End(read == 0 ? "the peer closed the connection" : "the peer sent bytes where only this node sends");
        }
        catch (Exception exception) when (PeerSocket.IsConnectionEnd(exception))
        {
            End(PeerSocket.Reason(exception));
        }
    }
}
