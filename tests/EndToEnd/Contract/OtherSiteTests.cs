using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.Contract;

/// <summary>Requests that a page of another site can make a browser send.</summary>
public sealed class OtherSiteTests
{
    [Fact]
    public void Pages_of_other_sites_and_foreign_host_names_are_refused_and_curl_notices_nothing()
    {
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        using ServerProcess process = ServerProcess.Start(
            "--cluster", cluster.Urls, "--port", $"{node.HttpPort}", "--data-dir", node.DataDirectory,
            "--allowed-host", "tunnel.example");
        string url = $"http://127.0.0.1:{node.HttpPort}";
        Eventually.True(
            () => Status("-X", "PUT", "-d", "v", $"{url}/k") == 204, () => string.Join('\n', process.Lines));

        Assert.Equal(
            403, Status("-X", "POST", "-d", "http://127.0.0.1:1", "-H", "Origin: http://evil.example", $"{url}/4"));
        Assert.Equal(403, Status("-H", "Sec-Fetch-Site: cross-site", $"{url}/k"));
        Assert.Equal(421, Status("-H", "Host: evil.example", $"{url}/k"));
        Assert.Equal(200, Status("-H", "Host: tunnel.example", $"{url}/k"));
        Assert.Equal(200, Status($"{url}/k"));
    }

    private static int Status(params string[] arguments) => Curl.Run(arguments).Status;
}
