using System.Net.Sockets;
using RaftFast.Server.Peers.Links;

namespace RaftFast.Server.Peers.Outbound;

/// <summary>
/// An accepted connection to a member. It ends when either side closes it, when it breaks, or when <see cref="End"/> is called;
/// whichever comes first is the reason.
/// </summary>
internal sealed class OutboundConnection(NetworkStream stream, SendRing ring)
{
    private readonly TaskCompletionSource<string> ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public SendRing Ring { get; } = ring;

    /// <summary>Any thread.</summary>
    public void End(string reason) => ended.TrySetResult(reason);

    /// <summary>Carries what the ring is given, until the end.</summary>
    /// <returns>Why it ended. Nothing touches the ring's memory afterwards but the loop thread, whose writes go nowhere.</returns>
    public async Task<string> RunAsync(CancellationToken stop)
    {
        using CancellationTokenRegistration registration = stop.UnsafeRegister(static self => ((OutboundConnection)self!).End("this server ended it"), this);
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
            // After a bug too, so that RunAsync gets to throw it.
            End("this server no longer sends");
        }
    }

    /// <summary>Nothing ever comes this way, so a read ends only with the connection.</summary>
    private async Task WatchAsync()
    {
        try
        {
            int read = await stream.ReadAsync(new byte[1]);
            End(read == 0 ? "it closed the connection" : "it sent bytes where none belong");
        }
        catch (Exception exception) when (PeerSocket.IsConnectionEnd(exception))
        {
            End(PeerSocket.Reason(exception));
        }
    }
}
