using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using RaftFast.Protocol;

namespace RaftFast.Bench;

/// <summary>One node, the real binary, on a data directory that was made for it.</summary>
internal sealed class ServerUnderBench : IDisposable
{
    private readonly Process process;
    private readonly List<(long Timestamp, string Line)> lines = [];

    private ServerUnderBench(Process process, int port)
    {
        this.process = process;
        Port = port;
        process.ErrorDataReceived += (_, line) => Add(line.Data);
        process.BeginErrorReadLine();
    }

    public int Port { get; }

    public static PeerAddress PeerAddress { get; } = new("127.0.0.1", FreePort());

    public static ServerUnderBench Start(string binary, string directory, params string[] flags)
    {
        int port = FreePort();
        string[] all = ["--cluster", PeerAddress.ToString(), "--port", port.ToString(CultureInfo.InvariantCulture), "--data-dir", directory, .. flags];
        ProcessStartInfo start = new(binary, all) { RedirectStandardError = true };
        return new ServerUnderBench(Process.Start(start)!, port);
    }

    /// <summary>Of all its threads.</summary>
    public double ProcessorSeconds
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime.TotalSeconds;
        }
    }

    /// <summary>Blocks until the key is read.</summary>
    public void WaitUntilItReads(string key)
    {
        using HttpClient client = new();
        while (true)
        {
            if (process.HasExited)
                throw new InvalidOperationException($"the server ended:\n{string.Join('\n', Lines())}");
            try
            {
                using HttpResponseMessage answer = client.GetAsync(new Uri($"http://127.0.0.1:{Port}{key}")).GetAwaiter().GetResult();
                if (answer.StatusCode == HttpStatusCode.OK)
                    return;
            }
            catch (HttpRequestException)
            {
                // It doesn't listen yet.
            }
            Thread.Sleep(2);
        }
    }

    public string[] Lines()
    {
        lock (lines)
            return [.. lines.Select(line => line.Line)];
    }

    /// <returns>When a line with this text was read, or 0.</returns>
    public long TimeOf(string text)
    {
        lock (lines)
            return lines.Find(line => line.Line.Contains(text, StringComparison.Ordinal)).Timestamp;
    }

    public void Dispose()
    {
        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Add(string? line)
    {
        if (line is null)
            return;
        lock (lines)
            lines.Add((Stopwatch.GetTimestamp(), line));
    }
}
