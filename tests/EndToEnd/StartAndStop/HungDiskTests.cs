using System.Globalization;
using System.Net;
using System.Net.Sockets;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.StartAndStop;

/// <summary>
/// Work on the disk does not return, and the process ends nevertheless. strace holds the thread of a write, like a
/// kernel whose disk does not answer.
/// </summary>
public sealed class HungDiskTests
{
    /// <summary>Microseconds for which a write is out: longer than any test waits.</summary>
    private const long WriteIsOut = 3_600_000_000;

    private const string FirstSegment = "wal-0000000000000001.log";
    private const string NextSegment = "wal-next.tmp";
    private const string Snapshot = "snapshot-next.tmp";

    [Theory]
    [InlineData(FirstSegment, "a write of the log has not returned")]
    [InlineData(Snapshot, "a write of a snapshot has not returned")]
    [InlineData(NextSegment, "the preparation of the log's next segment has not returned")]
    public void A_stop_does_not_wait_for_a_write_that_is_out(string file, string reason) =>
        AssertEnds(file, (process, _) => process.Terminate(), reason);

    [Theory]
    [InlineData(FirstSegment)]
    [InlineData(Snapshot)]
    [InlineData(NextSegment)]
    public void A_fatal_error_does_not_wait_for_a_write_that_is_out(string file) =>
        AssertEnds(file, (_, node) => File.Delete(Path.Combine(node.DataDirectory, "lock")), "deleted or replaced");

    /// <summary>Ends a node whose first write of a file is out.</summary>
    private static void AssertEnds(string file, Action<ServerProcess, ClusterNode> end, string reason)
    {
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        Directory.CreateDirectory(node.DataDirectory);
        if (file == NextSegment)
            RunOnce(node, cluster);
        // strace holds each write to the file. A segment gets its header under the next segment's name. Without flock,
        // the node looks after the file of its lock.
        string path = Path.Combine(node.DataDirectory, file);
        string strace = $"exec strace -D -f -qq -o /dev/null -P '{path}' -P '{node.DataDirectory}' "
            + $"-e trace=pwrite64,flock -e inject=pwrite64:delay_enter={WriteIsOut} -e inject=flock:error=EBADF ";
        using ServerProcess probe = ServerProcess.StartFromShell(strace + "true");
        Assert.SkipUnless(probe.WaitForExit() == 0, "needs strace(1), and a machine that lets it trace");
        using ServerProcess process = ServerProcess.StartFromShell(
            strace + "\"$0\" \"$@\"",
            "--cluster", cluster.Urls, "--port", $"{node.HttpPort}", "--data-dir", node.DataDirectory,
            "--snapshot-every", "10", "--log-io", "thread");
        int tracer = 0;
        try
        {
            if (file == FirstSegment)
                Eventually.True(() => Says(process, "the disk does not answer"), () => $"a write is out, {process}");
            else
                Eventually.True(
                    () => node.TryExchange("PUT", "/key", "value"u8)?.Status == 204 && File.Exists(path),
                    () => $"the file is begun, {process}");
            tracer = TracerOf(process);
            end(process, node);
            Eventually.True(() => Says(process, reason), () => $"the process ends, {process}");
            Eventually.True(() => Refuses(node.HttpPort), () => $"the sockets are shut down, {process}");
        }
        finally
        {
            // The write returns: the thread may end.
            if (tracer > 0)
                Signal.Send(tracer, Signal.Kill);
        }
        Assert.Equal(1, process.WaitForExit());
    }

    /// <summary>Makes a log without a next segment, so that the next start prepares one.</summary>
    private static void RunOnce(ClusterNode node, Cluster cluster)
    {
        node.Start(cluster.Urls);
        node.WaitUntilReady();
        node.Process.Terminate();
        Assert.Equal(0, node.Process.WaitForExit());
        File.Delete(Path.Combine(node.DataDirectory, NextSegment));
    }

    private static bool Says(ServerProcess process, string text) =>
        process.Lines.Any(line => line.Contains(text, StringComparison.Ordinal));

    private static bool Refuses(int port)
    {
        using TcpClient client = new();
        try
        {
            client.Connect(IPAddress.Loopback, port);
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    private static int TracerOf(ServerProcess process)
    {
        const string name = "TracerPid:";
        string line = File.ReadLines($"/proc/{process.Id}/status")
            .First(line => line.StartsWith(name, StringComparison.Ordinal));
        return int.Parse(line[name.Length..], CultureInfo.InvariantCulture);
    }
}
