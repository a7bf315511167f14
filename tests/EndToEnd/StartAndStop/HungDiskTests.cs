using System.Globalization;
using System.Net;
using System.Net.Sockets;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.StartAndStop;

/// <summary>
/// A write of the log does not return, and the process ends all the same. strace holds the thread of the write, as a
/// kernel does whose disk does not answer.
/// </summary>
public sealed class HungDiskTests
{
    /// <summary>Microseconds for which a write is out: longer than any test waits.</summary>
    private const long WriteIsOut = 3_600_000_000;

    [Fact]
    public void A_stop_does_not_wait_for_a_write_that_is_out() =>
        AssertEnds((process, _) => process.Terminate(), "the process ends without it");

    [Fact]
    public void A_fatal_error_does_not_wait_for_a_write_that_is_out() =>
        AssertEnds((_, node) => File.Delete(Path.Combine(node.DataDirectory, "lock")), "deleted or replaced");

    /// <summary>Ends a node whose first write of the log is out.</summary>
    private static void AssertEnds(Action<ServerProcess, ClusterNode> end, string reason)
    {
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        // strace holds each write to the first segment. The segment gets its header under another name.
        string segment = Path.Combine(node.DataDirectory, "wal-0000000000000001.log");
        // Without flock, the node looks after the file of its lock.
        Directory.CreateDirectory(node.DataDirectory);
        string strace = $"exec strace -D -f -qq -o /dev/null -P '{segment}' -P '{node.DataDirectory}' "
            + $"-e trace=pwrite64,flock -e inject=pwrite64:delay_enter={WriteIsOut} -e inject=flock:error=EBADF ";
        using ServerProcess probe = ServerProcess.StartFromShell(strace + "true");
        Assert.SkipUnless(probe.WaitForExit() == 0, "needs strace(1), and a machine that lets it trace");
        using ServerProcess process = ServerProcess.StartFromShell(
            strace + "\"$0\" \"$@\"",
            "--cluster", cluster.Urls, "--port", $"{node.HttpPort}", "--data-dir", node.DataDirectory,
            "--log-io", "thread");
        int tracer = 0;
        try
        {
            Eventually.True(() => Says(process, "the disk does not answer"), () => $"a write is out, {process}");
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
