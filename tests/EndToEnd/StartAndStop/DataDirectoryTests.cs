using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.StartAndStop;

/// <summary>
/// A start that the machine or the data directory refuses: one line that names the cause, exit code 1, no change.
/// </summary>
public sealed class DataDirectoryTests
{
    [Fact]
    public void A_port_in_use_is_named()
    {
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        foreach (int port in (int[])[node.HttpPort, node.PeerPort])
        {
            using TcpListener occupant = new(IPAddress.Loopback, port);
            occupant.Start();
            using ServerProcess process = ServerProcess.Start(
                "--cluster", cluster.Urls, "--port", $"{node.HttpPort}", "--data-dir", node.DataDirectory);
            AssertRefused(process, $"{port}");
        }
    }

    [Fact]
    public void A_data_directory_that_is_a_file_is_left_alone()
    {
        using Cluster cluster = Cluster.Prepare(1);
        File.WriteAllText(cluster.Nodes[0].DataDirectory, "not a directory");
        AssertRefusesDirectory(cluster, cluster.Nodes[0].DataDirectory);
        AssertRefusesDirectory(cluster, Path.Combine(cluster.Nodes[0].DataDirectory, "below"));
        Assert.Equal("not a directory", File.ReadAllText(cluster.Nodes[0].DataDirectory));
    }

    [Fact]
    public void A_data_directory_that_cannot_be_made_is_named()
    {
        using Cluster cluster = Cluster.Prepare(1);
        AssertRefusesDirectory(cluster, "/proc/raftfast");
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void A_read_only_data_directory_is_named()
    {
        Assert.SkipWhen(Environment.IsPrivilegedProcess, "root may write to a read-only directory");
        using Cluster cluster = Cluster.Prepare(1);
        string path = cluster.Nodes[0].DataDirectory;
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        AssertRefusesDirectory(cluster, path);
    }

    [Fact]
    public void A_directory_with_somebody_s_files_is_left_alone()
    {
        using Cluster cluster = Cluster.Prepare(1);
        string path = Directory.CreateDirectory(cluster.Nodes[0].DataDirectory).FullName;
        File.WriteAllText(Path.Combine(path, "thesis.txt"), "years of work");
        AssertRefusesDirectory(cluster, path);
        Assert.Equal("years of work", File.ReadAllText(Path.Combine(path, "thesis.txt")));
    }

    [Fact]
    public void A_mount_point_is_taken_and_only_its_owner_can_read_what_the_node_writes()
    {
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        Directory.CreateDirectory(Path.Combine(node.DataDirectory, "lost+found"));
        string below = node.DataDirectory + "-new";
        using ServerProcess process = ServerProcess.Start(
            "--cluster", cluster.Urls, "--port", $"{node.HttpPort}", "--data-dir", below);
        Eventually.True(
            () => node.TryExchange("PUT", "/key", "value"u8) is { Status: 204 }, () => $"writes are served, {process}");
        const UnixFileMode Owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(Owner | UnixFileMode.UserExecute, new DirectoryInfo(below).UnixFileMode);
        Assert.All(new DirectoryInfo(below).GetFiles(), file => Assert.Equal(Owner, file.UnixFileMode));
        process.Kill();

        node.Start(cluster.Urls);
        node.WaitUntilReady();
    }

    [Fact]
    public void The_data_directory_of_another_member_is_left_alone()
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode first = cluster.Nodes[0];
        ClusterNode second = cluster.Nodes[1];
        Assert.Equal(204, first.TryExchange("PUT", "/key", "value"u8)?.Status);
        first.Kill();
        second.Kill();
        DirectoryImage before = DirectoryImage.Of(first.DataDirectory);
        using (ServerProcess process = ServerProcess.Start(
            "--id", "2", "--cluster", cluster.Urls, "--port", $"{second.HttpPort}", "--data-dir", first.DataDirectory))
        {
            AssertRefused(process, first.DataDirectory);
        }
        Assert.True(before.IsSameAs(DirectoryImage.Of(first.DataDirectory)));
        first.Restart();
        first.WaitUntilReady();
        Assert.Equal("value", first.TryExchange("GET", "/key")?.Text);
    }

    [Fact]
    public void A_second_process_on_a_directory_leaves_it_to_the_first()
    {
        using Cluster cluster = Cluster.Start(1);
        ClusterNode node = cluster.Nodes[0];
        using ServerProcess second = ServerProcess.Start(
            "--cluster", $"http://127.0.0.1:{FreePorts.Take()}", "--port", $"{FreePorts.Take()}",
            "--data-dir", node.DataDirectory);
        AssertRefused(second, node.DataDirectory);
        Assert.Equal(204, node.TryExchange("PUT", "/key", "value"u8)?.Status);
        node.Kill();
        node.Restart();
        node.WaitUntilReady();
        Assert.Equal("value", node.TryExchange("GET", "/key")?.Text);
    }

    [Fact]
    public void A_node_without_a_lock_on_the_directory_itself_ends_when_its_lock_file_is_deleted()
    {
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        Directory.CreateDirectory(node.DataDirectory);
        // strace fails the lock of the directory, as some network file systems do.
        string strace = $"exec strace -D -f -qq -o /dev/null -P '{node.DataDirectory}' -e inject=flock:error=EBADF ";
        using ServerProcess probe = ServerProcess.StartFromShell(strace + "true");
        Assert.SkipUnless(probe.WaitForExit() == 0, "needs strace(1), and a machine that lets it trace");
        using ServerProcess process = ServerProcess.StartFromShell(
            strace + "\"$0\" \"$@\"",
            "--cluster", cluster.Urls, "--port", $"{node.HttpPort}", "--data-dir", node.DataDirectory);
        Eventually.True(
            () => node.TryExchange("PUT", "/key", "value"u8) is { Status: 204 }, () => $"writes are served, {process}");

        string lockFile = Path.Combine(node.DataDirectory, "lock");
        File.Delete(lockFile);
        AssertRefused(process, $"{lockFile} was deleted or replaced");
    }

    [Fact]
    public void A_changed_cluster_flag_is_reported_and_not_obeyed()
    {
        using Cluster cluster = Cluster.Start(3);
        ClusterNode node = cluster.Nodes[0];
        Assert.Equal(204, node.TryExchange("PUT", "/key", "value"u8)?.Status);
        node.Process.Terminate();
        Assert.Equal(0, node.Process.WaitForExit());

        string changed = $"{node.PeerUrl},{cluster.Nodes[1].PeerUrl},http://127.0.0.1:{FreePorts.Take()}";
        using ServerProcess process = ServerProcess.Start(
            "--cluster", changed, "--port", $"{node.HttpPort}", "--data-dir", node.DataDirectory);
        Eventually.True(
            () => node.TryExchange("GET", "/key") is { Status: 200, Text: "value" },
            () => $"the member serves as before: {process}");
        Assert.Contains(
            process.Lines,
            line => line.Contains("--cluster", StringComparison.Ordinal)
                && line.Contains(" warning ", StringComparison.Ordinal));
    }

    [Fact]
    public void A_directory_founded_as_a_cluster_of_one_refuses_to_be_a_larger_one()
    {
        using Cluster cluster = Cluster.Start(1);
        ClusterNode node = cluster.Nodes[0];
        Assert.Equal(204, node.TryExchange("PUT", "/key", "value"u8)?.Status);
        node.Process.Terminate();
        Assert.Equal(0, node.Process.WaitForExit());

        string larger = $"{node.PeerUrl},http://127.0.0.1:{FreePorts.Take()}";
        using ServerProcess refused = ServerProcess.Start(
            "--cluster", larger, "--port", $"{node.HttpPort}", "--data-dir", node.DataDirectory);
        AssertRefused(refused, "founded as a cluster of one");

        using ServerProcess process = ServerProcess.Start(
            "--port", $"{node.HttpPort}", "--data-dir", node.DataDirectory);
        Eventually.True(
            () => node.TryExchange("GET", "/key") is { Status: 200, Text: "value" },
            () => $"the member serves as before: {process}");
        Assert.False(FreePorts.IsFree(node.PeerPort));
    }

    private static void AssertRefusesDirectory(Cluster cluster, string path)
    {
        ClusterNode node = cluster.Nodes[0];
        using ServerProcess process = ServerProcess.Start(
            "--cluster", cluster.Urls, "--port", $"{node.HttpPort}", "--data-dir", path);
        AssertRefused(process, path);
    }

    private static void AssertRefused(ServerProcess process, string named)
    {
        Assert.True(process.WaitForExit() == 1, process.ToString());
        Assert.Contains(named, Complaint.Single(process), StringComparison.Ordinal);
    }
}
