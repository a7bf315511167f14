using System.Net;
using System.Net.Sockets;

namespace RaftFast.LoadTest.Tests;

/// <summary>
/// A server on a port of its own that serves one connection after another. A script sends the answers.
/// </summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Func<Socket, Task> script;
    private readonly Task serving;

    /// <param name="script">Called with each connection. The connection is closed when the call returns.</param>
    public ScriptedServer(Func<Socket, Task> script)
    {
        this.script = script;
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        serving = ServeAsync();
    }

    public IPEndPoint EndPoint => (IPEndPoint)listener.LocalEndPoint!;

    /// <summary>Reads a request without a body. Returns false if the client has closed the connection.</summary>
    public static async Task<bool> ReadRequestAsync(Socket connection)
    {
        byte[] received = new byte[4096];
        int length = 0;
        while (received.AsSpan(0, length).IndexOf("\r\n\r\n"u8) < 0)
        {
            int read = await connection.ReceiveAsync(received.AsMemory(length));
            if (read == 0)
                return false;
            length += read;
        }
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        listener.Dispose();
        await serving;
    }

    private async Task ServeAsync()
    {
        while (true)
        {
            try
            {
                using Socket connection = await listener.AcceptAsync();
                connection.NoDelay = true;
                await script(connection);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }
}
