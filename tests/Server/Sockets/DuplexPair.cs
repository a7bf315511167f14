using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Server.Sockets;
using RaftFast.Server.Sockets.Epoll;

namespace RaftFast.Server.Tests.Sockets;

/// <summary>Both ends of a connection: the pipes that a handler gets, and the client at the far end.</summary>
internal abstract class DuplexPair : IAsyncDisposable
{
    public const int BlockBytes = 4096;

    public abstract PipeReader Input { get; }

    public abstract PipeWriter Output { get; }

    public static async Task<DuplexPair> OpenAsync(string kind) => kind switch
    {
        "pipe" => new PipePair(),
        "sockets" => await SocketPair.OpenAsync(
            new SocketTransport(BlockBytes, 4 * BlockBytes, NullLogger.Instance), threads: null),
        _ => await SocketPair.OpenEpollAsync(),
    };

    public abstract Task SendAsync(byte[] bytes);

    /// <summary>Ends the direction to the handler.</summary>
    public abstract Task EndAsync();

    /// <summary>Breaks the direction to the handler, as a client that resets does.</summary>
    public abstract Task BreakAsync();

    /// <returns>The next bytes of the handler; fewer than <paramref name="count"/> only at the end.</returns>
    public abstract Task<byte[]> ReceiveAsync(int count);

    /// <summary>Ends the connection from the handler's side, as its owner does.</summary>
    public abstract void Abort();

    public abstract ValueTask DisposeAsync();

    private sealed class PipePair : DuplexPair
    {
        private readonly Pipe toHandler = new(new PipeOptions(useSynchronizationContext: false));
        private readonly Pipe toClient = new(new PipeOptions(useSynchronizationContext: false));

        public override PipeReader Input => toHandler.Reader;

        public override PipeWriter Output => toClient.Writer;

        public override async Task SendAsync(byte[] bytes) => await toHandler.Writer.WriteAsync(bytes);

        public override async Task EndAsync() => await toHandler.Writer.CompleteAsync();

        public override async Task BreakAsync() => await toHandler.Writer.CompleteAsync(new IOException("broken"));

        public override async Task<byte[]> ReceiveAsync(int count)
        {
            ReadResult result = await toClient.Reader.ReadAtLeastAsync(count);
            byte[] bytes = [.. System.Buffers.BuffersExtensions.ToArray(result.Buffer).Take(count)];
            toClient.Reader.AdvanceTo(result.Buffer.GetPosition(bytes.Length));
            return bytes;
        }

        public override void Abort() => toClient.Reader.Complete();

        public override ValueTask DisposeAsync() => default;
    }

    private sealed class SocketPair(ConnectionContext connection, TcpClient client, Action dispose) : DuplexPair
    {
        private readonly NetworkStream stream = client.GetStream();

        public override PipeReader Input => connection.Transport.Input;

        public override PipeWriter Output => connection.Transport.Output;

        public static async Task<DuplexPair> OpenAsync(ITransport transport, EpollThreads? threads)
        {
            await using SocketListener listener = SocketListener.Bind(
                new IPEndPoint(IPAddress.Loopback, 0), new Undisposed(transport), NullLogger.Instance);
            TcpClient client = new();
            await client.ConnectAsync((IPEndPoint)listener.EndPoint);
            ConnectionContext connection = (await listener.AcceptAsync())!;
            return new SocketPair(connection, client, () =>
            {
                transport.Dispose();
                threads?.Dispose();
            });
        }

        public static Task<DuplexPair> OpenEpollAsync()
        {
            EpollThreads threads = new(1, inbox: null);
            return OpenAsync(new EpollTransport(threads, BlockBytes), threads);
        }

        public override async Task SendAsync(byte[] bytes) => await stream.WriteAsync(bytes);

        public override Task EndAsync()
        {
            client.Client.Shutdown(SocketShutdown.Send);
            return Task.CompletedTask;
        }

        public override Task BreakAsync()
        {
            client.Client.LingerState = new LingerOption(enable: true, seconds: 0);
            client.Client.Dispose();
            return Task.CompletedTask;
        }

        public override async Task<byte[]> ReceiveAsync(int count)
        {
            byte[] bytes = new byte[count];
            int length = await stream.ReadAtLeastAsync(bytes, count, throwOnEndOfStream: false);
            return bytes[..length];
        }

        public override void Abort() => connection.Abort(new ConnectionAbortedException("aborted by the test"));

        public override async ValueTask DisposeAsync()
        {
            client.Dispose();
            await connection.DisposeAsync();
            // This may be the socket's thread, which can't wait for itself.
            await Task.Run(dispose);
        }

        private sealed class Undisposed(ITransport inner) : ITransport
        {
            public ConnectionContext Open(Socket socket) => inner.Open(socket);

            public void Dispose()
            {
            }
        }
    }
}
