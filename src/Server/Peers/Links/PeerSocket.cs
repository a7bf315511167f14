using System.Net.Sockets;

namespace RaftFast.Server.Peers.Links;

/// <summary>What both sides of a peer connection ask of TCP.</summary>
internal static class PeerSocket
{
    /// <summary>TCP_USER_TIMEOUT of Linux's tcp(7), in milliseconds (RFC 5482).</summary>
    private const int LinuxTcpUserTimeout = 18;

    public static void Configure(Socket socket, PeerOptions options)
    {
        socket.NoDelay = true;
        int seconds = Math.Max(1, (int)options.UnacknowledgedTimeout.TotalSeconds);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, seconds);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 1);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, seconds);
        if (!OperatingSystem.IsLinux())
            return;
        Span<byte> milliseconds = stackalloc byte[sizeof(int)];
        BitConverter.TryWriteBytes(milliseconds, (int)options.UnacknowledgedTimeout.TotalMilliseconds);
        socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, LinuxTcpUserTimeout, milliseconds);
    }

    /// <summary>Whether <paramref name="exception"/> is how a stream or socket says that its connection ended.</summary>
    public static bool IsConnectionEnd(Exception exception) =>
        exception is SocketException or IOException or OperationCanceledException or ObjectDisposedException;

    /// <summary>The operating system's words, without the frames around them.</summary>
    public static string Reason(Exception exception) => exception switch
    {
        { InnerException: SocketException inner } => inner.Message,
        OperationCanceledException => "no answer in time",
        _ => exception.Message,
    };
}
