using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using RaftFast.Protocol;

namespace RaftFast.Bench;

/// <summary>One node, run from the real binary on a prepared data directory.</summary>
internal sealed class NodeUnderBench : IDisposable
{
    private readonly Process process;
    private readonly List<(long Timestamp, string Line)> lines = [];

    private NodeUnderBench(Process process, int port, int apiPort)
    {
        this.process = process;
        Port = port;
        ApiPort = apiPort;
        process.ErrorDataReceived += (_, line) => Add(line.Data);
        process.BeginErrorReadLine();
    }

    public int Port { get; }

    public int ApiPort { get; }

    public static PeerAddress PeerAddress { get; } = new("127.0.0.1", FreePort());

    public static NodeUnderBench Start(string binary, string directory, params string[] flags)
    {
        int port = FreePort();
        string portText = port.ToString(CultureInfo.InvariantCulture);
        int apiPort = FreePort();
        string[] all =
        [
            "--cluster", PeerAddress.ToString(), "--port", portText, "--data-dir", directory,
            "--api", string.Create(CultureInfo.InvariantCulture, $"127.0.0.1:{apiPort}"), .. flags,
        ];
        ProcessStartInfo start = new(binary, all) { RedirectStandardError = true };
        return new NodeUnderBench(Process.Start(start)!, port, apiPort);
    }

    /// <summary>Processor time of all threads of the node.</summary>
    public double ProcessorSeconds
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime.TotalSeconds;
        }
    }

    /// <summary>Waits until a GET of the key is answered 200.</summary>
    public void WaitUntilReadable(string key)
    {
        using HttpClient client = new();
        Uri uri = new($"http://127.0.0.1:{Port}{key}");
        while (true)
        {
            if (process.HasExited)
                throw new InvalidOperationException($"the node ended:\n{string.Join('\n', Lines())}");
            try
            {
                using HttpResponseMessage answer = client.GetAsync(uri).GetAwaiter().GetResult();
                if (answer.StatusCode == HttpStatusCode.OK)
                    return;
            }
            catch (HttpRequestException)
            {
                // The node doesn't listen yet.
            }
            Thread.Sleep(2);
        }
    }

    public string[] Lines()
    {
        lock (lines)
            return [.. lines.Select(line => line.Line)];
    }

    /// <summary>Timestamp at which a line with this text was read, or 0.</summary>
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
