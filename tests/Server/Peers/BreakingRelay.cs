using System.Net;
using System.Net.Sockets;
using RaftFast.Protocol;

namespace RaftFast.Server.Tests.Peers;

/// <summary>
/// A relay between a member and the member that it dials. Connections with messages pass unchanged. When the test says
/// so, the relay cuts a connection with a snapshot after a given number of bytes.
/// </summary>
internal sealed class BreakingRelay : IDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly Func<int> destination;
    private readonly Queue<long> cuts;
    private readonly List<long> carried = [];
    private readonly SemaphoreSlim mayCut = new(0);
    private volatile int waiting;

    /// <param name="cuts">
    /// Bytes after the handshake at which the first connection with a snapshot is cut, then the second, and so on.
    /// </param>
    public BreakingRelay(Func<int> destination, params IEnumerable<long> cuts)
    {
        this.destination = destination;
        this.cuts = new Queue<long>(cuts);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        _ = Task.Run(AcceptAsync);
    }

    public int Port => ((IPEndPoint)listener.LocalEndPoint!).Port;

    /// <summary>Bytes after the handshake on each ended connection with a snapshot.</summary>
    public long[] Carried
    {
        get
        {
            lock (carried)
                return [.. carried];
        }
    }

    /// <summary>True while a connection has carried its number of bytes and waits for the cut.</summary>
    public bool WaitsToCut => waiting > 0;

    public void Cut() => mayCut.Release();

    public void Dispose() => listener.Dispose();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = CarryAsync(await listener.AcceptAsync());
        }
        catch (SocketException)
        {
        }
    }

    private async Task CarryAsync(Socket dialler)
    {
        using Socket acceptor = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (dialler)
        {
            try
            {
                byte[] handshake = new byte[Handshake.Size];
                int length = 0;
                while (length < handshake.Length)
                {
                    int read = await dialler.ReceiveAsync(handshake.AsMemory(length));
                    if (read == 0)
                        return;
                    length += read;
                }
                Handshake.TryRead(handshake, out Handshake said, out _);
                await acceptor.ConnectAsync(IPAddress.Loopback, destination());
                await acceptor.SendAsync(handshake);
                _ = CopyAsync(acceptor, dialler, long.MaxValue);
                if (said.Kind == ConnectionKind.Messages)
                {
                    await CopyAsync(dialler, acceptor, long.MaxValue);
                    return;
                }
                long cut = cuts.TryDequeue(out long next) ? next : long.MaxValue;
                long bytes = await CopyAsync(dialler, acceptor, cut);
                if (bytes == cut)
                {
                    waiting++;
                    await mayCut.WaitAsync();
                    waiting--;
                }
                lock (carried)
                    carried.Add(bytes);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
            }
        }
    }

    private static async Task<long> CopyAsync(Socket from, Socket to, long bytesMax)
    {
        byte[] buffer = new byte[64 * 1024];
        long bytes = 0;
        try
        {
            while (bytes < bytesMax)
            {
                int read = await from.ReceiveAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, bytesMax - bytes)));
                if (read == 0)
                    break;
                await to.SendAsync(buffer.AsMemory(0, read));
                bytes += read;
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
        }
        return bytes;
    }
}
