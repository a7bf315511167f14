using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;

namespace RaftFast.Server.Sockets;

/// <summary>Moves the bytes of accepted sockets.</summary>
internal interface ITransport : IDisposable
{
    /// <summary>Takes over an accepted socket.</summary>
    /// <exception cref="SocketException">The system can't serve another socket for now.</exception>
    ConnectionContext Open(Socket socket);
}

/// <summary>Kinds of <see cref="ITransport"/>.</summary>
internal enum TransportKind
{
    /// <summary>Threads of this project wait in epoll(7), receive and send. Linux only.</summary>
    Epoll,

    /// <summary>Kestrel's sockets and pipes, on every system.</summary>
    Sockets,
}
