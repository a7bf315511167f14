using System.Net.Sockets;

namespace RaftFast.Server.Peers.Links;

/// <summary>TCP settings and errors of both sides of a peer connection.</summary>
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

    /// <summary>True if a stream or socket throws <paramref name="exception"/> because its connection ended.</summary>
    public static bool IsConnectionEnd(Exception exception) =>
        exception is SocketException or IOException or OperationCanceledException or ObjectDisposedException;

    /// <summary>Returns the operating system's message, without the exceptions that wrap it.</summary>
    public static string Reason(Exception exception) => exception switch
    {
        { InnerException: SocketException inner } => inner.Message,
        OperationCanceledException => "no answer in time",
        _ => exception.Message,
    };
}
