using System.Net.Sockets;

namespace RaftFast.EndToEnd.Tests.Kit;

/// <summary>One member: its ports and data directory, which stay, and its process, which comes and goes.</summary>
internal sealed class ClusterNode(int id, int httpPort, int peerPort, int apiPort, string dataDirectory) : IDisposable
{
    private readonly List<ServerProcess> earlier = [];
    private string[] flags = [];

    public int Id => id;

    public int HttpPort => httpPort;

    public int PeerPort => peerPort;

    /// <summary>Port of the API, for a node that is started with it.</summary>
    public int ApiPort => apiPort;

    public string DataDirectory => dataDirectory;

    public string PeerUrl => $"http://127.0.0.1:{peerPort}";

    public ServerProcess Process { get; private set; } = null!;

    public bool IsStarted => Process is not null;

    public bool Runs => IsStarted && !Process.HasExited;

    /// <summary>Highest term that this member led in any of its runs, or 0.</summary>
    public long TermLed => AllRuns.Select(run => run.TermLed).DefaultIfEmpty().Max();

    /// <summary>Lines that all its runs have logged, in order.</summary>
    public IEnumerable<string> Lines => AllRuns.SelectMany(run => run.Lines);

    public bool HasTakenSnapshot => Lines.Any(line => line.Contains(" taken, ", StringComparison.Ordinal));

    /// <summary>True if the present run has installed a snapshot.</summary>
    public bool HasInstalledSnapshot =>
        Process.Lines.Any(line => line.Contains(" installed: ", StringComparison.Ordinal));

    private IEnumerable<ServerProcess> AllRuns => IsStarted ? [.. earlier, Process] : [];

    public string Url(string target) => $"http://127.0.0.1:{httpPort}{target}";

    public string ApiUrl(string path) => $"http://127.0.0.1:{apiPort}{path}";

    /// <param name="clusterUrls">The value of --cluster.</param>
    public void Start(string clusterUrls, params string[] extraFlags)
    {
        SetFlags(clusterUrls, extraFlags);
        if (IsStarted)
            Retire();
        Process = ServerProcess.Start(flags);
    }

    /// <inheritdoc cref="ServerProcess.StartFromShell"/>
    /// <param name="clusterUrls">The value of --cluster.</param>
    public void StartFromShell(string script, string clusterUrls, params string[] extraFlags)
    {
        SetFlags(clusterUrls, extraFlags);
        Process = ServerProcess.StartFromShell(script, flags);
    }

    /// <summary>Starts the node with <c>--join</c>, and a list of URLs that ends with its own.</summary>
    public void StartJoining(string clusterUrls, params string[] extraFlags) => Start(
        $"{clusterUrls},{PeerUrl}", ["--join", .. extraFlags]);

    public void Restart()
    {
        Retire();
        Process = ServerProcess.Start(flags);
    }

    /// <summary>Starts the node with a program of another version.</summary>
    /// <param name="clusterUrls">The value of --cluster.</param>
    public void StartOther(string binary, string clusterUrls)
    {
        SetFlags(clusterUrls);
        if (IsStarted)
            Retire();
        Process = ServerProcess.StartOther(binary, flags);
    }

    /// <summary>Restarts the node with its own flags.</summary>
    /// <inheritdoc cref="ServerProcess.StartFromShell"/>
    public void RestartFromShell(string script)
    {
        Retire();
        Process = ServerProcess.StartFromShell(script, flags);
    }

    public void Kill() => Process.Kill();

    /// <summary>
    /// Waits until the member answers a read: it has a leader, and has applied what was committed before.
    /// </summary>
    public void WaitUntilReady() => WaitForStatus(status => status is 200 or 404, "GET answers 200 or 404");

    /// <summary>Sends one request on a new connection.</summary>
    /// <returns>The answer, or null if none came.</returns>
    /// <param name="fields">Further header lines, each without its line end.</param>
    public HttpAnswer? TryExchange(
        string method, string target, ReadOnlySpan<byte> body = default, params ReadOnlySpan<string> fields)
    {
        try
        {
            using HttpConnection connection = HttpConnection.Open(httpPort);
            return connection.Exchange(method, target, body, fields);
        }
        catch (Exception failure) when (failure is IOException or SocketException)
        {
            return null;
        }
    }

    public void Dispose()
    {
        Process?.Dispose();
        foreach (ServerProcess run in earlier)
            run.Dispose();
    }

    public override string ToString() => IsStarted ? $"member {id}: {Process}" : $"member {id}: not started";

    private void SetFlags(string clusterUrls, params string[] extraFlags) => flags =
    [
        "--id", $"{id}", "--cluster", clusterUrls, "--port", $"{httpPort}", "--data-dir", dataDirectory, .. extraFlags,
    ];

    private void Retire()
    {
        Assert.True(Process.HasExited);
        earlier.Add(Process);
    }

    private void WaitForStatus(Func<int, bool> isEnough, string what, string method = "GET") =>
        Eventually.True(
            () =>
            {
                if (Process.HasExited)
                    Assert.Fail($"ended while it should get ready: {this}");
                return TryExchange(method, "/") is { } answer && isEnough(answer.Status);
            },
            () => $"{what}, {this}");
}
