using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using RaftFast.Http;
using RaftFast.Protocol;
using RaftFast.Server.Hosting;
using RaftFast.Server.Loop;
using RaftFast.Server.Node.Snapshots;
using RaftFast.Server.Sockets;
using RaftFast.Server.Tests.Peers;
using RaftFast.Storage.Disk;

namespace RaftFast.Server.Tests.Hosting;

public sealed class FirstStartTests : IDisposable, ILoggerFactory
{
    private readonly TemporaryDirectory directory = new();
    private readonly RecordedLog log = new();
    private readonly int peerPort = FreePorts.Take();

    [Fact]
    public async Task First_start_says_that_the_directory_is_new_and_prints_a_command_that_works()
    {
        await RunAsync(IPAddress.Loopback, async () =>
        {
            Assert.Contains($"data directory {Path} is new: this node starts without keys", log.Lines);
            Assert.DoesNotContain(log.Lines, line => line.Contains("recovered", StringComparison.Ordinal));
            Assert.Equal("world", await ShellAsync(Command()));
        });
    }

    [Fact]
    public async Task Restart_says_what_it_recovered_and_prints_no_command()
    {
        await RunAsync(IPAddress.Loopback, async () => await ShellAsync(Command()));
        int before = log.Lines.Length;

        await RunAsync(IPAddress.Loopback, () => Task.CompletedTask);

        string[] lines = log.Lines[before..];
        string recovered = Assert.Single(
            lines, line => line.StartsWith($"data directory {Path}: ", StringComparison.Ordinal));
        Assert.Matches(
            @": recovered a log up to entry \d+, \d+\.\d kB in 1 file, term 1, in \d+ ms$", recovered);
        Assert.DoesNotContain(lines, line => line.Contains("curl", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Command_reaches_a_node_that_listens_on_every_address()
    {
        await RunAsync(IPAddress.Any, async () => Assert.Equal("world", await ShellAsync(Command())));
    }

    [Fact]
    public async Task Command_reaches_a_node_that_listens_on_IPv6()
    {
        Assert.SkipUnless(System.Net.Sockets.Socket.OSSupportsIPv6, "needs IPv6");
        await RunAsync(IPAddress.IPv6Loopback, async () => Assert.Equal("world", await ShellAsync(Command())));
    }

    public void Dispose() => directory.Dispose();

    ILogger ILoggerFactory.CreateLogger(string categoryName) => categoryName == "node" ? log : NullLogger.Instance;

    void ILoggerFactory.AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    private string Path => directory.PathOf("data");

    /// <summary>Runs a cluster of one node until the work is done.</summary>
    private async Task RunAsync(IPAddress listen, Func<Task> work)
    {
        PeerAddress address = new("127.0.0.1", peerPort);
        ServerOptions options = new()
        {
            MemberId = 1,
            Joins = false,
            Configuration = ClusterConfiguration.Bootstrap([address]),
            ClusterIsGiven = true,
            Address = address,
            Listen = listen,
            Port = 0,
            DataDirectory = Path,
            RequestTimeout = TimeSpan.FromSeconds(5),
            Clients = new HttpLimits(),
            StateMax = long.MaxValue,
            Snapshots = new SnapshotOptions(),
            LogLevel = LogLevel.Information,
            Disk = DiskWriteMode.Buffered,
            Transport = TransportKind.Sockets,
            LogIo = LogIo.Thread,
        };
        int before = log.Lines.Length;
        using CancellationTokenSource stop = new();
        Task<int> node = NodeHost.RunAsync(options, this, stop.Token);
        Eventually.True(() => node.IsCompleted || log.Lines.Skip(before).Any(IsStarted));
        await work();
        await stop.CancelAsync();
        Assert.Equal(0, await node);
    }

    private static bool IsStarted(string line) => line.Contains(" listens for clients on ", StringComparison.Ordinal);

    private string Command()
    {
        const string Mark = ": curl ";
        string? line = null;
        Eventually.True(() => (line = Array.FindLast(log.Lines, IsCommand)) is not null);
        return line![(line!.IndexOf(Mark, StringComparison.Ordinal) + 2)..];

        static bool IsCommand(string line) => line.Contains(Mark, StringComparison.Ordinal);
    }

    private static async Task<string> ShellAsync(string command)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        using Process shell = Process.Start(
            new ProcessStartInfo("sh", ["-c", command]) { RedirectStandardOutput = true })!;
        string output = await shell.StandardOutput.ReadToEndAsync(cancellation);
        await shell.WaitForExitAsync(cancellation);
        Assert.Equal(0, shell.ExitCode);
        return output;
    }
}
