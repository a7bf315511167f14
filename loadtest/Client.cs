using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using HdrHistogram;

namespace RaftFast.LoadTest;

/// <summary>One connection: sends a burst of requests in one write, reads all their answers, and notes how long it took.</summary>
internal sealed class Client : IDisposable
{
    private readonly Socket socket;
    private readonly byte[][] bursts;
    private readonly int pipeline;
    private readonly byte[] received;

    public Client(IPEndPoint target, byte[][] bursts, int pipeline, int answerBytesMax)
    {
        this.bursts = bursts;
        this.pipeline = pipeline;
        received = new byte[pipeline * answerBytesMax];
        socket = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        socket.Connect(target);
    }

    /// <summary>Microseconds.</summary>
    public LongHistogram Latencies { get; } = new(TimeSpan.TicksPerMinute, 3);

    public long Failures { get; private set; }

    /// <param name="warmUpUntil">Timestamps of Stopwatch; nothing is noted before this one.</param>
    public async Task RunAsync(int first, long warmUpUntil, long until)
    {
        for (int i = first; Stopwatch.GetTimestamp() is var begun && begun < until; i++)
        {
            await socket.SendAsync(bursts[i % bursts.Length]);
            int failures = await ReceiveAsync();
            if (begun < warmUpUntil)
                continue;
            Failures += failures;
            Latencies.RecordValueWithCount((long)Stopwatch.GetElapsedTime(begun).TotalMicroseconds, pipeline - failures);
        }
    }

    public void Dispose() => socket.Dispose();

    /// <returns>How many of the answers were not 2xx.</returns>
    private async Task<int> ReceiveAsync()
    {
        int failures = 0;
        int length = 0;
        int start = 0;
        for (int answers = 0; answers < pipeline;)
        {
            int read = await socket.ReceiveAsync(received.AsMemory(length));
            if (read == 0)
                throw new IOException("the server closed the connection");
            length += read;
            while (answers < pipeline && TryReadAnswer(received.AsSpan(start, length - start), out int bytes, out bool isSuccess))
            {
                start += bytes;
                answers++;
                failures += isSuccess ? 0 : 1;
            }
        }
        return failures;
    }

    private static bool TryReadAnswer(ReadOnlySpan<byte> bytes, out int length, out bool isSuccess)
    {
        length = bytes.IndexOf("\r\n\r\n"u8) + 4;
        isSuccess = bytes.Length > 9 && bytes[9] == '2';
        if (length < 4)
            return false;
        ReadOnlySpan<byte> head = bytes[..length];
        int field = head.IndexOf("Content-Length: "u8);
        if (field >= 0 && Utf8Parser.TryParse(head[(field + 16)..], out int body, out _))
            length += body;
        return bytes.Length >= length;
    }

    /// <summary>The bytes of <paramref name="pipeline"/> requests that begin with key number <paramref name="first"/>.</summary>
    public static byte[] Burst(bool isGet, int first, int pipeline, int keys, int valueBytes)
    {
        StringBuilder text = new();
        string value = new('x', valueBytes);
        for (int i = 0; i < pipeline; i++)
        {
            string key = $"/key-{(first + i) % keys:D6}";
            text.Append(isGet
                ? $"GET {key} HTTP/1.1\r\nHost: load\r\n\r\n"
                : $"PUT {key} HTTP/1.1\r\nHost: load\r\nContent-Length: {valueBytes}\r\n\r\n{value}");
        }
        return Encoding.ASCII.GetBytes(text.ToString());
    }
}
