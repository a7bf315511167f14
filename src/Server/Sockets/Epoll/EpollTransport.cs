using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using RaftFast.Server.Threads;

namespace RaftFast.Server.Sockets.Epoll;

/// <summary>Serves the sockets of a listener on <see cref="EpollThreads"/>.</summary>
/// <param name="blockBytes">Bytes received at a time. A connection that waits holds no block.</param>
internal sealed class EpollTransport(EpollThreads threads, int blockBytes) : ITransport
{
    private readonly BlockStack blocks = new(blockBytes);

    public static bool IsSupported => EpollCalls.IsSupported;

    public ConnectionContext Open(Socket socket) => threads.Next().Open(socket, blocks);

    public void Dispose()
    {
    }
}

/// <summary>Threads that wait for the sockets of a node.</summary>
internal sealed class EpollThreads : IDisposable
{
    private readonly EpollThread[] threads;
    private int opened;
    private int isDisposed;

    /// <param name="inbox">Loop that the threads run after each round, if they posted to it; else null.</param>
    public EpollThreads(int count, Inbox? inbox)
    {
        threads = new EpollThread[count];
        for (int i = 0; i < count; i++)
            threads[i] = new EpollThread(ThreadNames.Sockets(i + 1), inbox);
    }

    public EpollThread First => threads[0];

    public EpollThread Next() =>
        threads[(uint)Interlocked.Increment(ref opened) % (uint)threads.Length];

    public void Dispose()
    {
        if (Interlocked.Exchange(ref isDisposed, 1) != 0)
            return;
        foreach (EpollThread thread in threads)
            thread.Dispose();
    }
}
