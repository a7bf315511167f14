using RaftFast.EndToEnd.Tests.Kit;

namespace RaftFast.EndToEnd.Tests.StartAndStop;

/// <summary>
/// A node listens for peers at the host of its own URL, or where --peer-listen says, and nowhere else.
/// </summary>
public sealed class PeerListenTests
{
    /// <summary>RFC 5737: the address of no machine.</summary>
    private const string Foreign = "192.0.2.1";

    [Fact]
    public void A_url_of_another_machine_is_refused_and_may_be_corrected()
    {
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        using (ServerProcess refused = Start(node, Foreign))
        {
            Assert.True(refused.WaitForExit() == 1, refused.ToString());
            Assert.Contains("--peer-listen", Complaint.Single(refused), StringComparison.Ordinal);
        }

        node.Start(cluster.Urls);
        node.WaitUntilReady();
        Assert.DoesNotContain(node.Lines, line => line.Contains(Foreign, StringComparison.Ordinal));
    }

    [Fact]
    public void A_node_whose_url_is_a_router_s_listens_where_it_is_told()
    {
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        using ServerProcess process = Start(node, Foreign, "--peer-listen", "127.0.0.2");
        Eventually.True(
            () => node.TryExchange("PUT", "/key", "value"u8)?.Status == 204, () => $"writes are served, {process}");
        Assert.Contains(
            process.Lines,
            line => line.Contains($"for the other members on 127.0.0.2:{node.PeerPort};", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_node_whose_name_does_not_resolve_serves_nobody_and_stops_when_it_is_told(bool joins)
    {
        using Cluster cluster = Cluster.Prepare(1);
        ClusterNode node = cluster.Nodes[0];
        using ServerProcess process = Start(node, "no-such-host.invalid", joins ? ["--join"] : []);
        Eventually.True(() => process.Warns("no-such-host.invalid has no address yet"), () => $"it waits, {process}");
        Assert.True(FreePorts.IsFree(node.HttpPort));
        Assert.True(FreePorts.IsFree(node.PeerPort));

        process.Terminate();
        Assert.True(process.WaitForExit(TimeSpan.FromSeconds(5)) == 0, process.ToString());
    }

    private static ServerProcess Start(ClusterNode node, string host, params string[] flags) => ServerProcess.Start(
        [
            "--cluster", $"http://{host}:{node.PeerPort}", "--port", $"{node.HttpPort}",
            "--data-dir", node.DataDirectory, .. flags,
        ]);
}
