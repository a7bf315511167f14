using System.Text.Json;
using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Api;

/// <summary>The API's listener: its flag, its refusals, and what it costs.</summary>
public sealed class DoorTests
{
    private const int Megabyte = 1_000_000;

    [Fact]
    public void Unknown_path_method_and_parameter_are_problems_that_say_what_is_right()
    {
        using Cluster cluster = Cluster.StartWithApi(1);
        ClusterNode node = cluster.Nodes[0];

        AssertProblem(404, "/livez", Curl.Run(node.ApiUrl("/nothing")));
        CurlResult method = Curl.Run("-X", "DELETE", node.ApiUrl("/livez"));
        AssertProblem(405, "GET, HEAD", method);
        Assert.Equal("GET, HEAD", method.Header("Allow"));
        AssertProblem(400, "verbose", Curl.Run(node.ApiUrl("/livez?verbose")));
        // Every path of the client port is a key.
        Assert.Equal(404, Curl.Get(node.Url("/livez")).Status);
        Assert.Equal(204, Curl.Put(node.Url("/livez"), "a value").Status);
        Assert.Equal("a value", Curl.Get(node.Url("/livez")).Text);
    }

    [Fact]
    public void Pages_of_other_sites_and_foreign_hosts_are_refused_and_no_answer_may_be_framed()
    {
        using Cluster cluster = Cluster.StartWithApi(1, "--allowed-host", "tunnel.example");
        string live = cluster.Nodes[0].ApiUrl("/livez");

        AssertProblem(403, "another site", Curl.Run("-H", "Origin: http://evil.example", live));
        AssertProblem(403, "another site", Curl.Run("-H", "Sec-Fetch-Site: cross-site", live));
        AssertProblem(421, "--allowed-host", Curl.Run("-H", "Host: evil.example", live));
        Assert.Equal(200, Curl.Run("-H", "Host: tunnel.example", live).Status);
        CurlResult answer = Curl.Run("-H", $"Origin: http://127.0.0.1:{cluster.Nodes[0].ApiPort}", live);
        Assert.Equal(200, answer.Status);
        Assert.Contains("frame-ancestors 'none'", answer.Header("Content-Security-Policy"), StringComparison.Ordinal);
        Assert.Equal("nosniff", answer.Header("X-Content-Type-Options"));
    }

    [Fact]
    public void Default_port_is_beside_the_port_for_clients_and_a_taken_one_is_a_warning()
    {
        using Cluster cluster = Cluster.Prepare(2);
        int port = PortWithFreeDefault();
        using ServerProcess first = Start(cluster.Nodes[0], port, []);
        Eventually.True(() => IsLive(port + 1000), () => $"{first}");

        using ServerProcess second = Start(cluster.Nodes[1], FreePorts.Take(), ["--api", $"127.0.0.1:{port + 1000}"]);
        Assert.Equal(1, second.WaitForExit());
        Assert.Contains(second.Lines, line => line.Contains("--api", StringComparison.Ordinal));

        first.Terminate();
        Assert.Equal(0, first.WaitForExit());
        using System.Net.Sockets.TcpListener taken = new(System.Net.IPAddress.Loopback, port + 1000);
        taken.Start();
        using ServerProcess third = Start(cluster.Nodes[0], port, []);
        Eventually.True(() => third.Warns("this node has no API"), () => $"{third}");
        Eventually.True(() => Curl.Put($"http://127.0.0.1:{port}/k", "v").Status == 204, () => $"{third}");
    }

    [Fact]
    public void Default_port_that_is_the_one_for_the_other_members_is_left_to_them()
    {
        using Cluster cluster = Cluster.Prepare(1);
        int port = new Uri(cluster.Nodes[0].PeerUrl).Port - 1000;
        Assert.SkipUnless(FreePorts.IsFree(port), $"port {port} is in use");
        // The second start knows its own URL from the directory alone.
        foreach (string[] flags in (string[][])[["--cluster", cluster.Nodes[0].PeerUrl], []])
        {
            using ServerProcess process = ServerProcess.StartFromShell(
                "exec \"$0\" \"${@:1:$#-2}\"",
                [.. flags, "--port", $"{port}", "--data-dir", cluster.Nodes[0].DataDirectory]);
            Eventually.True(() => process.Warns("is the one for the other members"), () => $"{process}");
            Eventually.True(() => Curl.Put($"http://127.0.0.1:{port}/k", "v").Status == 204, () => $"{process}");
            process.Terminate();
            Assert.Equal(0, process.WaitForExit());
        }
    }

    [Fact]
    public void Member_without_a_leader_lives_and_is_not_ready()
    {
        using Cluster cluster = Cluster.StartWithApi(3);
        foreach (ClusterNode node in cluster.Nodes)
        {
            Assert.Equal(200, Curl.Get(node.ApiUrl("/livez")).Status);
            CurlResult ready = Curl.Get(node.ApiUrl("/readyz"));
            Assert.Equal(200, ready.Status);
            Assert.Equal(4, ready.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        }
        ClusterNode left = cluster.Nodes[0];
        cluster.Nodes[1].Kill();
        cluster.Nodes[2].Kill();

        Eventually.True(() => Curl.Get(left.ApiUrl("/readyz")).Status == 503, () => $"{cluster}");
        Eventually.True(
            () => Curl.Get(left.ApiUrl("/readyz")).Text.Contains("failed  leader", StringComparison.Ordinal),
            () => Curl.Get(left.ApiUrl("/readyz")).Text);
        Assert.Equal(200, Curl.Get(left.ApiUrl("/livez")).Status);

        cluster.Nodes[1].Restart();
        Eventually.True(() => Curl.Get(left.ApiUrl("/readyz")).Status == 200, () => $"{cluster}");
    }

    /// <summary>The API's price: the binary's size, and memory while nothing happens.</summary>
    [Fact]
    public void Server_with_an_api_stays_small()
    {
        Assert.SkipUnless(ServerBinary.IsNative, "the bounds are those of the native binary");
        using Cluster cluster = Cluster.StartWithApi(1);
        Assert.Equal(200, Curl.Get(cluster.Nodes[0].ApiUrl("/readyz")).Status);

        Assert.InRange(new FileInfo(ServerBinary.Location).Length, 0, 15 * Megabyte);
        Assert.InRange(cluster.Nodes[0].Process.ResidentBytes, 0, 40 * Megabyte);
    }

    private static ServerProcess Start(ClusterNode node, int port, string[] api) => ServerProcess.StartFromShell(
        // The kit turns the API off unless a flag names it.
        api.Length > 0 ? "exec \"$0\" \"$@\"" : "exec \"$0\" \"${@:1:$#-2}\"",
        ["--cluster", node.PeerUrl, "--port", $"{port}", "--data-dir", node.DataDirectory, .. api]);

    private static bool IsLive(int port) => Curl.Get($"http://127.0.0.1:{port}/livez").Status == 200;

    private static int PortWithFreeDefault()
    {
        int port = FreePorts.Take();
        while (!FreePorts.IsFree(port + 1000))
            port = FreePorts.Take();
        return port;
    }

    private static void AssertProblem(int status, string detail, CurlResult answer)
    {
        Assert.Equal(status, answer.Status);
        Assert.Equal("application/problem+json", answer.Header("Content-Type"));
        using JsonDocument problem = JsonDocument.Parse(answer.Body);
        Assert.Equal(status, problem.RootElement.GetProperty("status").GetInt32());
        Assert.Contains(detail, problem.RootElement.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }
}
