using System.Net;
using System.Net.Sockets;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Tour;

/// <summary>Uses of scripts/cluster that the README doesn't show.</summary>
[Collection(nameof(TourPorts))]
public sealed class ClusterScriptTests : IDisposable
{
    private readonly ScratchTree tree = new();

    [Theory]
    [InlineData("")]
    [InlineData("begin")]
    [InlineData("start 4")]
    [InlineData("start 1 2")]
    [InlineData("stop 0")]
    [InlineData("status 1")]
    [InlineData("destroy 1")]
    public void A_wrong_command_is_one_line_with_the_usage_and_exit_2(string arguments)
    {
        (int exitCode, string output, string all) = Run(arguments);
        Assert.Equal((2, ""), (exitCode, output));
        Assert.Matches(@"^\ncluster: [^\n]*usage: [^\n]*\n$", all);
    }

    [Fact]
    public void Without_a_binary_it_says_how_to_build_one()
    {
        (int exitCode, _, string all) = Run("start");
        Assert.Equal(1, exitCode);
        Assert.Contains("dotnet publish src/Server -c Release -o out", all, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(tree.Root, ".cluster")));
    }

    [Fact]
    public void A_member_that_ends_at_once_is_reported_with_its_last_words()
    {
        TourPorts.AssertFree();
        tree.LinkServer();
        using TcpListener occupant = new(IPAddress.Loopback, 9122);
        occupant.Start();
        (int exitCode, _, string all) = Run("start 2");
        Assert.Equal(1, exitCode);
        Assert.Matches(@"^\ncluster: member 2 ended: [^\n]*9122[^\n]*\n$", all);
        Assert.Matches(@"(?m)^2  http://127\.0\.0\.1:9122  stopped by itself: [^\n]*9122[^\n]*$", Run("status").Output);
        Assert.Equal("2  not running\n", Run("stop 2").Output);
        Assert.Contains("2  http://127.0.0.1:9122  stopped\n", Run("status").Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Members_start_once_and_stop_with_their_data_kept()
    {
        TourPorts.AssertFree();
        tree.LinkServer();
        Assert.Equal(0, Run("start").ExitCode);
        Assert.Equal(204, Curl.Put("http://127.0.0.1:9121/key", "value").Status);
        (int exitCode, _, string again) = Run("start 2");
        Assert.Equal(1, exitCode);
        Assert.Matches(@"^\ncluster: member 2 runs already \(pid \d+\)[^\n]*\n$", again);
        Assert.Single(Run("status").Output.Split('\n'), line => line.Contains("led last", StringComparison.Ordinal));

        Assert.Equal("1  stopped\n2  stopped\n3  stopped\n", Run("stop").Output);
        TourPorts.AssertFree();
        Assert.Equal(0, Run("start").ExitCode);
        Assert.Equal("value", Curl.Get("http://127.0.0.1:9123/key").Text);
        Assert.Equal("1  stopped\n2  stopped\n3  stopped\nno cluster, no data\n", Run("destroy").Output);
        Assert.False(Directory.Exists(Path.Combine(tree.Root, ".cluster")));
        TourPorts.AssertFree();
    }

    public void Dispose()
    {
        Run("destroy");
        tree.Dispose();
    }

    private (int ExitCode, string Output, string All) Run(string arguments)
    {
        using ShellJob job = tree.Start($"scripts/cluster {arguments}");
        int exitCode = job.WaitForExit(TimeSpan.FromSeconds(60));
        return (exitCode, job.Output, job.ToString());
    }
}
