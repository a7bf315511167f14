using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using RaftFast.LoadTest.Load;

namespace RaftFast.LoadTest;

/// <summary>
/// A network with a round trip. Accepts connections at some addresses, dials another address for each connection, and
/// passes received bytes on after half a round trip. No byte is lost, and no rate holds bytes back. Two threads serve
/// each direction of a connection, so the relay suits a few connections.
/// </summary>
internal sealed class Relay : IDisposable
{
    /// <summary>Maximum bytes under way in one direction: more than a member sends ahead of acknowledgements.</summary>
    private const long UnderWayMax = 64 << 20;

    private const int ChunkBytes = 64 << 10;

    private readonly List<Socket> sockets = [];
    private readonly long delay;
    private bool isDisposed;

    /// <param name="roundTrip">Time that the relay adds to a request and its answer together.</param>
    /// <exception cref="SocketException">An address can't be listened on.</exception>
    public Relay(IReadOnlyList<(IPEndPoint From, IPEndPoint To)> routes, TimeSpan roundTrip)
    {
        delay = (long)(roundTrip.TotalSeconds / 2 * Stopwatch.Frequency);
        foreach ((IPEndPoint from, IPEndPoint to) in routes)
        {
            Socket listener = new(from.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            Keep(listener);
            try
            {
                listener.Bind(from);
                listener.Listen();
            }
            catch (SocketException)
            {
                Dispose();
                throw;
            }
            EndPoints.Add((IPEndPoint)listener.LocalEndPoint!);
            Run(() => Accept(listener, to));
        }
    }

    /// <summary>Addresses of the routes, with the ports that the system chose for port 0.</summary>
    public List<IPEndPoint> EndPoints { get; } = [];

    /// <summary>Parses routes: FROM=TO,FROM=TO, each an address and a port.</summary>
    /// <returns>Null after a mistake.</returns>
    public static List<(IPEndPoint From, IPEndPoint To)>? ParseRoutes(string text)
    {
        List<(IPEndPoint, IPEndPoint)> routes = [];
        foreach (string route in text.Split(','))
        {
            string[] ends = route.Split('=');
            if (ends.Length != 2 || !IPEndPoint.TryParse(ends[0], out IPEndPoint? from)
                || !IPEndPoint.TryParse(ends[1], out IPEndPoint? to) || to.Port == 0)
            {
                return null;
            }
            routes.Add((from, to));
        }
        return routes;
    }

    public void Dispose()
    {
        lock (sockets)
        {
            isDisposed = true;
            foreach (Socket socket in sockets)
                socket.Dispose();
        }
    }

    private static void Run(Action work) => new Thread(() =>
    {
        try
        {
            work();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The connection, or the relay, has ended.
        }
    })
    {
        IsBackground = true,
    }.Start();

    private void Accept(Socket listener, IPEndPoint to)
    {
        while (true)
        {
            Socket near = Keep(listener.Accept());
            Run(() => Connect(near, to));
        }
    }

    private void Connect(Socket near, IPEndPoint to)
    {
        Socket far = Keep(new Socket(to.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        try
        {
            far.Connect(to);
        }
        catch (SocketException)
        {
            // No program listens there yet: the dialler tries again.
            Drop(near, far);
            return;
        }
        near.NoDelay = far.NoDelay = true;
        Ends ends = new();
        Begin(near, far, ends);
        Begin(far, near, ends);
    }

    private void Begin(Socket from, Socket to, Ends ends)
    {
        UnderWay underWay = new();
        Run(() => Receive(from, underWay));
        Run(() => Send(underWay, from, to, ends));
    }

    /// <summary>Receives until the end of the direction.</summary>
    private void Receive(Socket from, UnderWay underWay)
    {
        byte[] received = [];
        try
        {
            do
            {
                byte[] buffer = new byte[ChunkBytes];
                int length = from.Receive(buffer);
                received = buffer[..length];
                underWay.Add(new Chunk(Stopwatch.GetTimestamp() + delay, received));
            }
            while (received.Length > 0);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            underWay.Add(new Chunk(Stopwatch.GetTimestamp() + delay, []));
        }
    }

    /// <summary>
    /// Sends each chunk when it is due, and the end after the last one. Closes both sockets once both directions have
    /// ended: a close while another thread receives would reset the connection.
    /// </summary>
    private void Send(UnderWay underWay, Socket from, Socket to, Ends ends)
    {
        try
        {
            for (Chunk chunk = underWay.Take(); chunk.Bytes.Length > 0; chunk = underWay.Take())
            {
                PreciseSleep.Until(chunk.Due);
                for (int sent = 0; sent < chunk.Bytes.Length;)
                    sent += to.Send(chunk.Bytes, sent, chunk.Bytes.Length - sent, SocketFlags.None);
            }
            to.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The far end takes no more bytes: tell the near end.
            from.Shutdown(SocketShutdown.Both);
        }
        finally
        {
            underWay.End();
            if (Interlocked.Increment(ref ends.Count) == 2)
                Drop(from, to);
        }
    }

    private Socket Keep(Socket socket)
    {
        lock (sockets)
        {
            if (isDisposed)
                socket.Dispose();
            sockets.Add(socket);
        }
        return socket;
    }

    private void Drop(Socket one, Socket other)
    {
        one.Dispose();
        other.Dispose();
        lock (sockets)
        {
            sockets.Remove(one);
            sockets.Remove(other);
        }
    }

    /// <param name="Due">Timestamp at which the bytes are passed on.</param>
    /// <param name="Bytes">Empty at the end of the direction.</param>
    private readonly record struct Chunk(long Due, byte[] Bytes);

    /// <summary>Number of directions of a connection that have ended.</summary>
    private sealed class Ends
    {
        public int Count;
    }

    /// <summary>Chunks of one direction, in order.</summary>
    private sealed class UnderWay
    {
        private readonly Queue<Chunk> chunks = new();
        private long bytes;
        private bool hasEnded;

        /// <summary>Waits while too much is under way.</summary>
        public void Add(Chunk chunk)
        {
            lock (chunks)
            {
                while (bytes > UnderWayMax && !hasEnded)
                    Monitor.Wait(chunks);
                bytes += chunk.Bytes.Length;
                chunks.Enqueue(chunk);
                Monitor.PulseAll(chunks);
            }
        }

        public Chunk Take()
        {
            lock (chunks)
            {
                Chunk chunk;
                while (!chunks.TryDequeue(out chunk))
                    Monitor.Wait(chunks);
                bytes -= chunk.Bytes.Length;
                Monitor.PulseAll(chunks);
                return chunk;
            }
        }

        /// <summary>No more bytes are taken.</summary>
        public void End()
        {
            lock (chunks)
            {
                hasEnded = true;
                Monitor.PulseAll(chunks);
            }
        }
    }
}
