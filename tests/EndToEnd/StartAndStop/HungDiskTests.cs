using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.StartAndStop;

/// <summary>A write of the log does not return, and the process ends all the same.</summary>
public sealed class HungDiskTests
{
    /// <summary>Microseconds for which a write is out: longer than any test waits.</summary>
    private const long WriteIsOut = 3_600_000_000;

    [Fact]
    public void A_stop_does_not_wait_for_a_write_that_is_out()
    {
        using Cluster cluster = Cluster.Prepare(1);
        using ServerProcess process = StartWithHungWrites(cluster.Nodes[0], cluster.Urls);
        process.Terminate();
        Assert.Equal(1, process.WaitForExit());
        Assert.Contains(process.Lines, line => line.Contains("the process ends without it", StringComparison.Ordinal));
    }

    [Fact]
    public void A_fatal_error_does_not_wait_for_a_write_that_is_out()
    {
        using Cluster cluster = Cluster.Prepare(1);
        using ServerProcess process = StartWithHungWrites(cluster.Nodes[0], cluster.Urls);
        File.Delete(Path.Combine(cluster.Nodes[0].DataDirectory, "lock"));
        Assert.Equal(1, process.WaitForExit());
        Assert.Contains(process.Lines, line => line.Contains("deleted or replaced", StringComparison.Ordinal));
    }

    /// <summary>Starts a node whose first write of the log is out.</summary>
    private static ServerProcess StartWithHungWrites(ClusterNode node, string urls)
    {
        // strace holds each write to the first segment. The segment gets its header under another name.
        string segment = Path.Combine(node.DataDirectory, "wal-0000000000000001.log");
        string strace = $"exec strace -D -f -qq -o /dev/null -P '{segment}' "
            + $"-e trace=pwrite64 -e inject=pwrite64:delay_enter={WriteIsOut} ";
        using ServerProcess probe = ServerProcess.StartFromShell(strace + "true");
        Assert.SkipUnless(probe.WaitForExit() == 0, "needs strace(1), and a machine that lets it trace");
        ServerProcess process = ServerProcess.StartFromShell(
            strace + "\"$0\" \"$@\"",
            "--cluster", urls, "--port", $"{node.HttpPort}", "--data-dir", node.DataDirectory);
        Eventually.True(() => process.Lines.Any(IsAboutTheDisk), () => $"a write is out, {process}");
        return process;
    }

    private static bool IsAboutTheDisk(string line) =>
        line.Contains("the disk does not answer", StringComparison.Ordinal);
}
