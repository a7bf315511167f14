using System.Text;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.StartAndStop;

/// <summary>A node serves without standard streams, and with a stderr from which no process reads.</summary>
[Collection(nameof(Alone))]
public sealed class StandardStreamsTests
{
    private static readonly TimeSpan StopsWithin = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData("2>&-")]
    [InlineData(">&- 2>&-")]
    [InlineData("<&- 2>&-")]
    [InlineData("<&- >&- 2>&-")]
    public void Without_standard_streams_a_node_serves_and_logs_into_none_of_its_files(string closed)
    {
        Assert.SkipUnless(ServerBinary.IsNative, "only the native binary starts without standard streams");
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        node.StartFromShell($"exec \"$0\" \"$@\" {closed}", cluster.Urls);
        node.WaitUntilReady();
        Assert.Equal(204, node.TryExchange("PUT", "/key", "value"u8)?.Status);
        Assert.Equal("value", node.TryExchange("GET", "/key")?.Text);

        node.Process.Terminate();
        Assert.True(node.Process.WaitForExit(StopsWithin) == 0, node.ToString());
        foreach (string file in Directory.EnumerateFiles(node.DataDirectory, "*", SearchOption.AllDirectories))
        {
            ReadOnlySpan<byte> bytes = File.ReadAllBytes(file);
            Assert.True(bytes.IndexOf("became leader"u8) < 0, file);
            Assert.True(bytes.IndexOf("listens for clients"u8) < 0, file);
        }
        node.Restart();
        node.WaitUntilReady();
        Assert.Equal("value", node.TryExchange("GET", "/key")?.Text);
        Eventually.True(
            () => node.Lines.Any(line => line.Contains("recovered", StringComparison.Ordinal)),
            () => $"a line says so, {node}");
    }

    [Fact]
    public void A_follower_whose_stderr_is_blocked_takes_part_in_the_next_election()
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode leader = cluster.WaitForLeader();
        ClusterNode silent = cluster.Others(leader).First();
        silent.Kill();
        silent.RestartFromShell(WithBlockedStderr(cluster));
        silent.WaitUntilReady();
        // The restart may have changed the leader: the silent node must be a follower when the leader dies.
        leader = cluster.WaitForLeader();

        leader.Kill();
        Eventually.True(
            () => silent.TryExchange("PUT", "/key", "value"u8)?.Status == 204, TimeSpan.FromSeconds(10),
            () => $"writes continue, {cluster}");
        Assert.Empty(silent.Process.Lines);
        silent.Process.Terminate();
        Assert.True(silent.Process.WaitForExit(StopsWithin) == 0, silent.ToString());
    }

    [Fact]
    public void A_fatal_exit_does_not_wait_for_a_blocked_stderr()
    {
        using Cluster cluster = Cluster.Start(1);
        ClusterNode node = cluster.Nodes[0];
        node.Kill();
        // The log's segment is larger than any file may be now: a write beyond the limit fails, which ends the node.
        node.RestartFromShell($"{FileSizeLimitTests.LimitTo(1024)}; {WithBlockedStderr(cluster)}");
        node.WaitUntilReady();
        byte[] value = new byte[512 << 10];
        while (node.TryExchange("PUT", "/key", value) is { Status: 204 })
        {
        }

        // One second for the lines that wait, and the rest for a busy machine.
        Assert.True(node.Process.WaitForExit(StopsWithin) == 1, node.ToString());
    }

    /// <summary>Script that starts the server with a full pipe as stderr. No process reads from the pipe.</summary>
    private static string WithBlockedStderr(Cluster cluster)
    {
        string pipe = Path.Combine(Path.GetDirectoryName(cluster.Nodes[0].DataDirectory)!, "stderr");
        return new StringBuilder()
            .Append($"mkfifo '{pipe}'; exec 9<>'{pipe}'; ")
            .Append($"dd if=/dev/zero of='{pipe}' oflag=nonblock bs=4096 2>/dev/null; ")
            .Append("exec \"$0\" \"$@\" 2>&9")
            .ToString();
    }
}
