using System.Runtime.InteropServices;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.StartAndStop;

/// <summary>A system call filter (seccomp(2)) forbids io_uring, as container engines do by default.</summary>
public sealed class ForbiddenUringTests
{
    /// <summary>
    /// Makes io_uring_setup(2) (425) fail with EPERM, and continues as the server. perl is in every Debian. prctl(2) is
    /// call 157 on x64, and 167 on arm64.
    /// </summary>
    private static readonly string Script =
        "exec perl -e '$filter = pack(\"(SCCL)*\", 0x20,0,0,0, 0x15,0,1,425, 6,0,0,0x50001, 6,0,0,0x7fff0000); "
        + "$program = pack(\"Sx6P\", 4, $filter); "
        + $"$prctl = {(RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 167 : 157)}; "
        + "syscall($prctl, 38, 1, 0, 0, 0) == 0 && syscall($prctl, 22, 2, $program, 0, 0) == 0 or exit 77; "
        + "exec @ARGV' \"$0\" \"$@\"";

    [Fact]
    public void Auto_starts_says_which_log_it_uses_and_serves()
    {
        SkipWithoutFilter();
        using Cluster cluster = Cluster.Prepare(3);
        foreach (ClusterNode node in cluster.Nodes)
            node.StartFromShell(Script, cluster.Urls, "--transport", "epoll", "--log-io", "auto");
        cluster.WaitUntilReady();
        const string Says = "written by a thread, not through io_uring: Operation not permitted";
        foreach (ClusterNode node in cluster.Nodes)
        {
            Eventually.True(
                () => node.Process.Lines.Any(line => line.Contains(Says, StringComparison.Ordinal)),
                () => $"a line says so, {node}");
        }
        for (int i = 0; i < 30; i++)
        {
            ClusterNode writer = cluster.Nodes[i % 3];
            ClusterNode reader = cluster.Nodes[(i + 1) % 3];
            Assert.Equal(204, writer.TryExchange("PUT", $"/{i}", [(byte)i])?.Status);
            Assert.Equal([(byte)i], reader.TryExchange("GET", $"/{i}")?.Body ?? []);
        }
    }

    [Fact]
    public void Uring_does_not_start_and_says_what_to_do()
    {
        SkipWithoutFilter();
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        node.StartFromShell(Script, cluster.Urls, "--transport", "epoll", "--log-io", "uring");
        Assert.Equal(1, node.Process.WaitForExit());
        Assert.Contains(node.Process.Lines, line => line.Contains(
            "can't write the log through io_uring: Operation not permitted; give --log-io auto or thread",
            StringComparison.Ordinal));
    }

    private static void SkipWithoutFilter()
    {
        string script = Script.Replace("@ARGV", "\"true\"", StringComparison.Ordinal);
        using ServerProcess probe = ServerProcess.StartFromShell(script);
        Assert.SkipUnless(probe.WaitForExit() == 0, "needs Linux with seccomp(2), and perl");
    }
}
