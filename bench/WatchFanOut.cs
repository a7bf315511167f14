using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace RaftFast.Bench;

/// <summary>
/// Measures a thousand watches of one prefix while keys under it are written: all changes must arrive, and the time
/// from a PUT's due time to its event counts. Keys carry the due time.
/// </summary>
internal static class WatchFanOut
{
    private const int Watches = 1000;
    private const int PutsPerSecond = 1000;
    private const int Seconds = 10;

    /// <summary>First PUTs, which warm the node up. Their events must arrive, and are not measured.</summary>
    private const int PutsOfWarmUp = 2 * PutsPerSecond;

    private const int Puts = PutsOfWarmUp + Seconds * PutsPerSecond;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    public static void Run(string binary)
    {
        string path = Directory.CreateTempSubdirectory("raftfast-bench-").FullName;
        try
        {
            RecoveryData.Create(path, NodeUnderBench.PeerAddress, keys: 1, entries: 0);
            using NodeUnderBench node = NodeUnderBench.Start(binary, path);
            node.WaitUntilReadable(RecoveryData.Key(0));
            Watcher[] watchers = [.. Enumerable.Range(0, Watches).Select(_ => new Watcher(node.ApiPort))];
            foreach (Watcher watcher in watchers)
                watcher.Begin();
            AnsweredPut[] puts = OpenLoop.Run(
                node, PutsPerSecond, Puts,
                static due => string.Create(CultureInfo.InvariantCulture, $"/watched/{due:d20}"), static () => false);
            long end = Stopwatch.GetTimestamp();
            while (watchers.Any(watcher => watcher.Events < Puts) && Stopwatch.GetElapsedTime(end) < Patience)
                Thread.Sleep(10);
            Report(puts, watchers);
            foreach (Watcher watcher in watchers)
                watcher.Dispose();
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    private static void Report(AnsweredPut[] puts, Watcher[] watchers)
    {
        Latencies answers = new();
        foreach (AnsweredPut put in puts.Skip(PutsOfWarmUp))
            answers.Add(put.Ticks, 0);
        answers.Print("PUT");
        Latencies events = new();
        foreach (Watcher watcher in watchers)
            events.Add(watcher.Latencies);
        events.Print("event");
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{watchers.Sum(watcher => (long)watcher.Events):N0} of {(long)Puts * Watches:N0} events arrived"));
        foreach (IGrouping<string?, Watcher> ended in watchers.GroupBy(watcher => watcher.End))
        {
            if (ended.Key is not null)
                Console.WriteLine($"{ended.Count()} watches ended: {ended.Key}");
        }
    }

    /// <summary>
    /// A watch, on a connection of its own. The parser looks for keys alone: it must cost much less than the node.
    /// </summary>
    private sealed class Watcher : IDisposable
    {
        private const int DigitsOfDue = 20;

        private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        private readonly byte[] buffer = new byte[64 << 10];
        private int events;
        private int kept;

        public Watcher(int port)
        {
            socket.Connect(IPAddress.Loopback, port);
            // An answer to HTTP/1.0 has no chunks, whose sizes could stand within an event.
            socket.Send("GET /v1/watch?prefix=/watched/ HTTP/1.0\r\nHost: localhost\r\n\r\n"u8);
            // The first event says that the watch has begun.
            while (buffer.AsSpan(0, kept).IndexOf("begin"u8) < 0)
                kept += socket.Receive(buffer, kept, buffer.Length - kept, SocketFlags.None);
            kept = 0;
        }

        /// <summary>Events so far. Any thread.</summary>
        public int Events => Volatile.Read(ref events);

        public Latencies Latencies { get; } = new();

        /// <summary>Why the watch has ended; null while it goes on.</summary>
        public string? End { get; private set; }

        public void Begin() => _ = ReceiveAsync();

        public void Dispose() => socket.Dispose();

        private async Task ReceiveAsync()
        {
            try
            {
                while (await socket.ReceiveAsync(buffer.AsMemory(kept)) is > 0 and int received)
                    Parse(kept + received, Stopwatch.GetTimestamp());
                End = "the node ended the connection";
            }
            catch (Exception exception)
            {
                End = exception.Message;
            }
        }

        private void Parse(int length, long now)
        {
            ReadOnlySpan<byte> mark = "\"/watched/"u8;
            ReadOnlySpan<byte> rest = buffer.AsSpan(0, length);
            int count = events;
            while (rest.IndexOf(mark) is >= 0 and int place && rest.Length - place >= mark.Length + DigitsOfDue)
            {
                rest = rest[(place + mark.Length)..];
                long due = long.Parse(rest[..DigitsOfDue], CultureInfo.InvariantCulture);
                rest = rest[DigitsOfDue..];
                if (count++ >= PutsOfWarmUp)
                    Latencies.Add(now - due, 0);
            }
            kept = Math.Min(rest.Length, mark.Length + DigitsOfDue - 1);
            rest[^kept..].CopyTo(buffer);
            Volatile.Write(ref events, count);
        }
    }
}
