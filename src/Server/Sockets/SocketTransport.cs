using System.Buffers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace RaftFast.Server.Sockets;

/// <summary>Serves sockets with Kestrel's socket transport.</summary>
internal sealed class SocketTransport : ITransport
{
    private readonly SocketConnectionContextFactory factory;

    /// <param name="blockBytes">Bytes received at a time, and held by each connection that waits.</param>
    /// <param name="bufferMax">
    /// Maximum bytes received from one connection and not read yet, and maximum bytes written to it and not sent yet.
    /// </param>
    public SocketTransport(int blockBytes, long bufferMax, ILogger log)
    {
        SocketConnectionFactoryOptions options = new()
        {
            // The work on the transport's threads only parses, posts and returns: handing it over would cost more.
            UnsafePreferInlineScheduling = true,
            MaxReadBufferSize = bufferMax,
            MaxWriteBufferSize = bufferMax,
            // Waiting for data before taking a block would cost one more operation for each receive.
            WaitForDataBeforeAllocatingBuffer = false,
        };
        SetMemoryPoolFactory(options, new BlockPool(blockBytes));
        factory = new SocketConnectionContextFactory(options, log);
    }

    public ConnectionContext Open(Socket socket) => factory.Create(socket);

    public void Dispose() => factory.Dispose();

    /// <summary>Sets the pool, which has no public setter. The default is a pool of 4 KiB blocks.</summary>
    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_MemoryPoolFactory")]
    private static extern void SetMemoryPoolFactory(
        SocketConnectionFactoryOptions options, IMemoryPoolFactory<byte> pool);
}
